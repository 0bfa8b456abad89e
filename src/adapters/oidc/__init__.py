"""Logging in at somebody else's."""

from src.adapters.oidc.authlib_provider_client import AuthlibProviderClient

__all__ = ["AuthlibProviderClient"]
