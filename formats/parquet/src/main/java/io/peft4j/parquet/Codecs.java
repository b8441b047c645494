package io.peft4j.parquet;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.airlift.compress.Decompressor;
import io.airlift.compress.MalformedInputException;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/** Unpacks pages. */
final class Codecs {
    private Codecs() {
    }

    /**
     * Unpacks a page.
     *
     * @param size its length when unpacked
     * @throws DamageException when it has another length, or the codec is not read
     */
    static byte[] unpack(CompressionCodecName codec, byte[] packed, int size) throws IOException {
        byte[] unpacked = switch (codec) {
            case UNCOMPRESSED -> packed;
            // A page of nulls has no bytes, and not every writer packs nothing.
            case SNAPPY -> packed.length == 0 ? packed : unpack(new SnappyDecompressor(), packed, size);
            case LZ4_RAW -> packed.length == 0 ? packed : unpack(new Lz4Decompressor(), packed, size);
            case ZSTD -> packed.length == 0 ? packed : zstd(packed, size);
            case GZIP -> packed.length == 0 ? packed : gzip(packed, size);
            default -> throw new DamageException("is compressed with " + codec + ", which is not supported; write "
                    + "it with "
                    + "snappy, gzip or zstd");
        };
        if (unpacked.length != size) {
            throw new DamageException("has a page of " + unpacked.length + " bytes that should have " + size);
        }
        return unpacked;
    }

    private static byte[] unpack(Decompressor decompressor, byte[] packed, int size) {
        byte[] unpacked = new byte[size];
        try {
            int length = decompressor.decompress(packed, 0, packed.length, unpacked, 0, size);
            return length == size ? unpacked : java.util.Arrays.copyOf(unpacked, length);
        } catch (MalformedInputException | IllegalArgumentException e) {
            throw new DamageException("has a page that cannot be unpacked: " + e.getMessage());
        }
    }

    private static byte[] zstd(byte[] packed, int size) {
        byte[] unpacked = new byte[size];
        try {
            long length = Zstd.decompressByteArray(unpacked, 0, size, packed, 0, packed.length);
            if (Zstd.isError(length)) {
                throw new DamageException("has a page that cannot be unpacked: " + Zstd.getErrorName(length));
            }
            return length == size ? unpacked : java.util.Arrays.copyOf(unpacked, (int) length);
        } catch (ZstdException e) {
            throw new DamageException("has a page that cannot be unpacked: " + e.getMessage());
        }
    }

    private static byte[] gzip(byte[] packed, int size) throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
            // One more than there may be, so that a longer page is noticed and does not fill the memory.
            return in.readNBytes(size + 1);
        }
    }
}
