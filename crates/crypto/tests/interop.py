"""The other side of the classic envelope, by Python's `cryptography`. Run by interop.rs: one JSON object on
standard input, one on standard output, byte strings in base64."""

import base64
import json
import os
import sys

from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

OAEP = rsa_padding.OAEP(mgf=rsa_padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


def cbc(key, iv):
    return Cipher(algorithms.AES256(key), modes.CBC(iv))


def seal(request):
    public = serialization.load_pem_public_key(request["public_pem"])
    key, iv = os.urandom(32), os.urandom(16)
    padder, encryptor = padding.PKCS7(128).padder(), cbc(key, iv).encryptor()
    padded = padder.update(request["plaintext"]) + padder.finalize()
    return {
        "encrypted_data": encryptor.update(padded) + encryptor.finalize(),
        "encrypted_key": public.encrypt(key, OAEP),
        "encrypted_iv": public.encrypt(iv, OAEP),
    }


def open_(request):
    private = serialization.load_pem_private_key(request["private_pem"], password=None)
    key, iv = (private.decrypt(request[field], OAEP) for field in ("encrypted_key", "encrypted_iv"))
    unpadder, decryptor = padding.PKCS7(128).unpadder(), cbc(key, iv).decryptor()
    padded = decryptor.update(request["encrypted_data"]) + decryptor.finalize()
    return {"plaintext": unpadder.update(padded) + unpadder.finalize()}


def generate(_request):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    return {
        "pkcs1_pem": private.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, none),
        "pkcs8_pem": private.private_bytes(pem, serialization.PrivateFormat.PKCS8, none),
        "public_pem": private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
    }


def main():
    task = {"seal": seal, "open": open_, "generate": generate}[sys.argv[1]]
    request = {field: base64.b64decode(value, validate=True) for field, value in json.load(sys.stdin).items()}
    json.dump({field: base64.b64encode(value).decode() for field, value in task(request).items()}, sys.stdout)


main()
