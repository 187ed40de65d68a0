"""Bytes in memory that Arrow owns, so that its threads never need Python's interpreter lock.

Arrow reads Python files and releases Python bytes on its own threads, which are never joined. A thread that requests
the lock during interpreter shutdown is cancelled in the middle of a C++ destructor, and the process aborts ("terminate
called without an active exception") after all of its work is done.
"""

import pyarrow as pa


def open_content(*parts: bytes | memoryview) -> pa.BufferReader:
    """Copy the content of a file, in one or more parts, into Arrow's memory and open it for pyarrow.

    Use it instead of `io.BytesIO` and `pa.py_buffer`.
    """
    buffer = pa.allocate_buffer(sum(map(len, parts)))
    writer = pa.FixedSizeBufferWriter(buffer)
    for part in parts:
        writer.write(part)
    return pa.BufferReader(buffer)
