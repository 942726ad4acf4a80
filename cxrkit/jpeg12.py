"""A decoder plugin for pydicom: 12-bit JPEG Extended (Process 2 and 4) through GDCM.

pydicom 3 refuses 12-bit samples to its own GDCM plugin, for faults of older versions, and asks for a GPL
library. The GDCM pinned here decodes pydicom's reference file to the reference values, which a test holds.
"""

import gdcm
from pydicom.pixels.decoders.base import DecodeRunner
from pydicom.uid import JPEGExtended12Bit

DECODER_DEPENDENCIES = {JPEGExtended12Bit: ("gdcm>=3.2",)}


def is_available(uid: str) -> bool:
    """Whether this plugin decodes the transfer syntax; part of pydicom's plugin interface."""
    return uid == JPEGExtended12Bit


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """Raw pixels of one gray frame, 16 bits each; part of pydicom's plugin interface.

    Raises:
        NotImplementedError: the frame is not 9- to 12-bit gray.
        AttributeError: GDCM could not decode it.
    """
    if runner.samples_per_pixel != 1 or not 8 < runner.bits_stored <= 12:
        raise NotImplementedError("only gray frames of 9 to 12 bits")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(source)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    kind = gdcm.PhotometricInterpretation.GetPIType(runner.photometric_interpretation)
    syntax = gdcm.TransferSyntax.GetTSType(str(JPEGExtended12Bit))
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((runner.columns, runner.rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    bits = runner.bits_stored
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, bits, bits - 1, runner.pixel_representation))
    # GDCM's wrapper hands bytes over as text; None where it failed.
    raw: str = image.GetBuffer()
    return raw.encode("utf-8", "surrogateescape")
