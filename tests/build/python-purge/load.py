"""Tells what psutil sees of this process, and what libxml2 is called with."""

import ctypes
import os

import psutil

process = psutil.Process(os.getpid())
print(process.name(), process.username(), process.cwd())
print("memory", psutil.virtual_memory().total > 0)
print("libxml2", hasattr(ctypes.CDLL("libxml2.so.2"), "xmlReadFile"))
