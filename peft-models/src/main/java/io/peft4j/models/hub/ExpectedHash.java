package io.peft4j.models.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What a file's content must hash to.
 *
 * @param kind how it is computed
 * @param hex the expected value in lower-case hexadecimal digits
 */
record ExpectedHash(Kind kind, String hex) {
    private static final int BUFFER_BYTES = 1 << 16;

    /** The two hashes of the hub. */
    enum Kind {
        /** SHA-256 of the content: large files. */
        SHA256,
        /** Git's name of a blob, SHA-1 of {@code "blob <size>\0"} and the content: files in git itself. */
        GIT_BLOB
    }

    static ExpectedHash sha256(String hex) {
        return new ExpectedHash(Kind.SHA256, hex);
    }

    static ExpectedHash gitBlob(String hex) {
        return new ExpectedHash(Kind.GIT_BLOB, hex);
    }

    /** The actual value for a file's content, to be compared with {@link #hex}. */
    String of(Path file) throws IOException {
        MessageDigest digest = digest();
        if (kind == Kind.GIT_BLOB) {
            digest.update(("blob " + Files.size(file) + "\0").getBytes(StandardCharsets.US_ASCII));
        }
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private MessageDigest digest() {
        String algorithm = kind == Kind.SHA256 ? "SHA-256" : "SHA-1";
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has " + algorithm, e);
        }
    }
}
