"""Prints what the service answers; waits until it is up."""

import sys
import time
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

for address in sys.argv[1:]:
    for _ in range(100):
        try:
            print(urlopen(address).read().decode(), end="")
            break
        except HTTPError:
            raise
        except URLError:
            time.sleep(0.1)
    else:
        sys.exit("no answer")
