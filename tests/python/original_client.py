"""A client as the original's users have it: urllib and `cryptography`, the classic envelope, no code of
Coffer's. With `sid` as a header on every call it works against Coffer's default mode too.

usage: original_client.py KMS DATA SID COMMAND ARGUMENT...

Prints the last answer as one JSON document.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KMS, DATA, SID = sys.argv[1:4]
OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def call(url, body=None):
    headers = {"sid": SID, "content-type": "application/json"}
    if SID == "-":
        del headers["sid"]
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            status, text = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    answer = json.loads(text) if text else {}
    return {**answer, "status": status}


def kms(path, **body):
    answer = call(KMS + path, body)
    if not path.startswith("/api/"):
        assert answer["status"] == 200, answer
    return answer


def put(name, path):
    answer = kms("/get_public_key", file_name=name)
    if answer["code"] != 200:
        return answer
    pem = base64.b64decode(answer["kms_public_key"])
    public_key = serialization.load_pem_public_key(pem)
    assert public_key.key_size == 2048
    with open(path, "rb") as file:
        plaintext = file.read()
    key, iv = os.urandom(32), os.urandom(16)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()
    return call(
        DATA + "/upload",
        {
            "file_name": name,
            "encrypted_data": base64.b64encode(sealed).decode(),
            "encrypted_aes_key": base64.b64encode(public_key.encrypt(key, OAEP)).decode(),
            "encrypted_aes_initial_vector": base64.b64encode(public_key.encrypt(iv, OAEP)).decode(),
        },
    )


def get(name, path):
    envelope = call(DATA + "/download?" + urllib.parse.urlencode({"file_name": name}))
    if envelope["code"] != 200:
        return envelope
    answer = kms("/get_private_key", file_name=name)
    if answer["code"] != 200:
        return answer
    pem = base64.b64decode(answer["kms_private_key"])
    assert pem.startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    private_key = serialization.load_pem_private_key(pem, None)
    key = private_key.decrypt(base64.b64decode(envelope["encrypted_aes_key"]), OAEP)
    iv = private_key.decrypt(base64.b64decode(envelope["encrypted_aes_initial_vector"]), OAEP)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    padded = decryptor.update(base64.b64decode(envelope["encrypted_data"])) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    with open(path, "wb") as file:
        file.write(unpadder.update(padded) + unpadder.finalize())
    return {"code": 200, "message": answer["message"]}


COMMANDS = {
    "register": lambda email, password: kms("/register", email=email, password=password),
    "verify_register": lambda email, otp: kms("/verify_register", email=email, otp=otp),
    "login": lambda email, password: kms("/login", email=email, password=password),
    "verify_login": lambda email, otp: kms("/verify_login", email=email, otp=otp),
    "put": put,
    "get": get,
    "list": lambda: call(DATA + "/list_files"),
    "grant": lambda name, friend: kms("/grant_access", file_name=name, friend_email=friend),
    # The original could not take access back; this is Coffer's own call.
    "revoke": lambda name, friend: kms("/api/v1/grants/revoke", name=name, grantee_email=friend),
}

print(json.dumps(COMMANDS[sys.argv[4]](*sys.argv[5:])))
