#!/bin/bash
exec socat TCP-LISTEN:18009,bind=127.0.0.1,reuseaddr,fork EXEC:./handle.sh
