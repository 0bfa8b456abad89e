"""Draw the picture of an offer in the documentation: ``python -m scripts.draw_offer`` (needs ``pdftoppm``)."""

import subprocess
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from src.adapters.documents import TypstQuoteRenderer
from tests.builders.documents import a_full_quote_document
from tests.builders.pictures import a_logo

PICTURE = Path("docs/images/quote.png")


def main() -> None:
    document = replace(a_full_quote_document(), logo=a_logo())
    with TemporaryDirectory() as folder:
        pdf = Path(folder) / "offer.pdf"
        pdf.write_bytes(TypstQuoteRenderer().render(document).content)
        command = ["pdftoppm", "-png", "-r", "110", "-singlefile", str(pdf), str(PICTURE.with_suffix(""))]
        subprocess.run(command, check=True)  # noqa: S603 — no word of it comes from outside.
    print(f"Drew {PICTURE}.")


if __name__ == "__main__":
    main()
