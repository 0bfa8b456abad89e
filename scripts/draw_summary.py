"""Draw the picture of a summary in the documentation: ``python -m scripts.draw_summary`` (needs ``pdftoppm``)."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from src.adapters.documents import TypstSummaryRenderer
from tests.builders.summaries import a_summary

PICTURE = Path("docs/images/summary.png")


def main() -> None:
    with TemporaryDirectory() as folder:
        pdf = Path(folder) / "summary.pdf"
        pdf.write_bytes(TypstSummaryRenderer().render(a_summary()))
        command = ["pdftoppm", "-png", "-r", "110", "-singlefile", str(pdf), str(PICTURE.with_suffix(""))]
        subprocess.run(command, check=True)  # noqa: S603 — no word of it comes from outside.
    print(f"Drew {PICTURE}.")


if __name__ == "__main__":
    main()
