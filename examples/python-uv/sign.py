import sys

from itsdangerous import Signer

print(Signer("key").sign(sys.argv[1]).decode())
