"""The classic envelope of the file contract, made and opened by openssl."""

import base64
import os
import subprocess

OAEP = [word for option in ("padding_mode:oaep", "oaep_md:sha256", "mgf1_md:sha256") for word in ("-pkeyopt", f"rsa_{option}")]


def openssl(*arguments, given):
    return subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, check=True).stdout


def encoded(content):
    return base64.b64encode(content).decode()


def seal(name, public_key, content, folder):
    """For a public key as the KMS gives it."""
    pem = folder / "public.pem"
    pem.write_bytes(base64.b64decode(public_key))
    key, vector = os.urandom(32), os.urandom(16)
    wrap = ("pkeyutl", "-encrypt", "-pubin", "-inkey", pem, *OAEP)
    sealed = openssl("enc", "-e", "-aes-256-cbc", "-K", key.hex(), "-iv", vector.hex(), given=content)
    return {
        "file_name": name,
        "encrypted_data": encoded(sealed),
        "encrypted_aes_key": encoded(openssl(*wrap, given=key)),
        "encrypted_aes_initial_vector": encoded(openssl(*wrap, given=vector)),
    }


def opened(envelope, private_key, folder):
    """With a private key as the KMS gives it."""
    pem = folder / "private.pem"
    pem.write_bytes(base64.b64decode(private_key))
    unwrap = ("pkeyutl", "-decrypt", "-inkey", pem, *OAEP)
    fields = ("encrypted_aes_key", "encrypted_aes_initial_vector", "encrypted_data")
    key, vector, sealed = (base64.b64decode(envelope[name]) for name in fields)
    key, vector = openssl(*unwrap, given=key), openssl(*unwrap, given=vector)
    return openssl("enc", "-d", "-aes-256-cbc", "-K", key.hex(), "-iv", vector.hex(), given=sealed)
