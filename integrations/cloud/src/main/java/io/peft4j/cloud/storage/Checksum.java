package io.peft4j.cloud.storage;

import io.peft4j.core.io.AtomicFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * The checksum of a content.
 *
 * @param kind how it is computed
 * @param hex its value
 */
record Checksum(Kind kind, String hex) {
    private static final int BUFFER_BYTES = 1 << 16;

    /** How a checksum is computed. */
    public enum Kind {
        /** SHA-256. */
        SHA256,
        /** MD5. */
        MD5,
        /** CRC-32 with the polynomial of Castagnoli. */
        CRC32C,
        /** CRC-32. */
        CRC32
    }

    /** The checksum of this kind of a file. */
    public static Checksum of(Kind kind, Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return new Checksum(kind, HexFormat.of().formatHex(switch (kind) {
                case SHA256 -> digest(in, "SHA-256");
                case MD5 -> digest(in, "MD5");
                case CRC32C -> crc(in, new CRC32C());
                case CRC32 -> crc(in, new CRC32());
            }));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + AtomicFiles.reason(e), e);
        }
    }

    private static byte[] digest(InputStream in, String name) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance(name);
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has " + name, e);
        }
    }

    private static byte[] crc(InputStream in, java.util.zip.Checksum crc) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            crc.update(buffer, 0, read);
        }
        return ByteBuffer.allocate(4).putInt((int) crc.getValue()).array();
    }

    /** Whether a file has this checksum. */
    public boolean fits(Path file) {
        return of(kind, file).equals(this);
    }
}
