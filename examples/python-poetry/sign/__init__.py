import sys

from itsdangerous import Signer


def main():
    print(Signer("key").sign(sys.argv[1]).decode())
