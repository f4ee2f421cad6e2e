"""Where the folders that ship beside the code are: the TwiML documents, the agents,
the example of a campaign."""

from pathlib import Path
from typing import Literal, TypeAlias

Folder: TypeAlias = Literal["twiml", "agents", "campaigns"]

_PACKAGE = Path(__file__).resolve().parent


class ShippedFolderMissingError(FileNotFoundError):
    """Our fault or the packager's: the installation is incomplete."""


def shipped(name: Folder, package: Path = _PACKAGE) -> Path:
    """The shipped folder `name`: inside an installed wheel, else at the top of the repository.

    `package` is the folder of the `app` package; tests point it elsewhere.
    Raises `ShippedFolderMissingError` when neither place holds it.
    """
    places = (package / "_shipped" / name, package.parent / name)
    for place in places:
        if place.is_dir():
            return place
    looked = " and ".join(str(place) for place in places)
    raise ShippedFolderMissingError(
        f"The folder {name!r} should ship with Earshot but is neither of {looked}. "
        "Install Earshot again, or run it from a complete checkout."
    )
