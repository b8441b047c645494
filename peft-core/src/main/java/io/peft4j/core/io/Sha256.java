package io.peft4j.core.io;

import io.peft4j.core.Internal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 as lower-case hexadecimal digits. */
@Internal(shared = true)
public final class Sha256 {
    private static final int BUFFER_BYTES = 1 << 16;

    private final MessageDigest digest;

    /** The hash of what {@link #add} is going to be given. */
    public Sha256() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Adds bytes. */
    public Sha256 add(byte[] bytes) {
        digest.update(bytes);
        return this;
    }

    /** Adds a text in UTF-8. */
    public Sha256 add(String text) {
        return add(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The digits; resets the digest. */
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The hash of a text in UTF-8. */
    public static String of(String text) {
        return new Sha256().add(text).hex();
    }

    /** The hash of what a file would hold. */
    public static String of(AtomicFiles.Content content) {
        Sha256 sha = new Sha256();
        try {
            content.writeTo(new DigestOutputStream(OutputStream.nullOutputStream(), sha.digest));
        } catch (IOException e) {
            throw new UncheckedIOException("a content fails without a disk", e);
        }
        return sha.hex();
    }

    /**
     * The hash of a file's content.
     *
     * @throws UncheckedIOException when it cannot be read
     */
    public static String of(Path file) {
        Sha256 sha = new Sha256();
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                sha.digest.update(buffer, 0, n);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + file + ": " + AtomicFiles.reason(e), e);
        }
        return sha.hex();
    }
}
