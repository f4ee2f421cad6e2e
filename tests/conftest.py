"""What a test changes for the whole process does not reach the next one."""

import logging
import ssl
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands that run inside a test set the level of all logging."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        if handler not in handlers and type(handler).__module__.startswith("app."):
            root.removeHandler(handler)


@pytest.fixture(scope="session", autouse=True)
def few_trusted_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A client of the model's vendor reads all certificates that the system trusts, 25 ms each
    time. Tests make hundreds of clients, and none of them goes where a certificate counts."""
    trusted = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not trusted:
        yield
        return
    path = tmp_path_factory.mktemp("trusted") / "one.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(trusted[0]), encoding="ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield
