package io.peft4j.cloud.storage;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Sha256;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.Part;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * A large file that is written to S3 in parts. An upload of the same content that broke off on this machine continues
 * with the parts that S3 has not got; the object appears when all are there.
 */
final class S3Parts {
    /** The size of a part; S3 takes at most 10,000, so that a file may have 640 GB. */
    static final long PART_BYTES = 64L << 20;

    private final S3Client client;
    private final Address address;
    private final Path note;

    /**
     * An upload to an address.
     *
     * @param notes folder of what is remembered of uploads that have begun
     */
    S3Parts(S3Client client, Address address, Path notes) {
        this.client = client;
        this.address = address;
        this.note = notes.resolve(Sha256.of(address.toString()) + ".upload");
    }

    void write(Path file, String sha256) throws IOException {
        Map<Integer, Part> there = new HashMap<>();
        String upload = begun(sha256, there).orElseGet(() -> client.createMultipartUpload(request -> request
                .bucket(address.bucket()).key(address.key()).metadata(Map.of(S3Store.SHA256, sha256))).uploadId());
        AtomicFiles.writeString(note, sha256 + "\n" + upload);
        long size = Files.size(file);
        List<CompletedPart> parts = new ArrayList<>();
        for (long from = 0; from < size; from += PART_BYTES) {
            int number = parts.size() + 1;
            long length = Math.min(PART_BYTES, size - from);
            parts.add(part(file, from, length, number, upload, there));
        }
        client.completeMultipartUpload(request -> request.bucket(address.bucket()).key(address.key()).uploadId(upload)
                .multipartUpload(all -> all.parts(parts)));
        Files.deleteIfExists(note);
    }

    private CompletedPart part(Path file, long from, long length, int number, String upload, Map<Integer, Part> there)
            throws IOException {
        Part known = there.get(number);
        if (known != null && known.size() == length
                && known.eTag().replace("\"", "").equals(md5(open(file, from, length)))) {
            return CompletedPart.builder().partNumber(number).eTag(known.eTag()).build();
        }
        ContentStreamProvider content = () -> open(file, from, length);
        String tag = client.uploadPart(request -> request.bucket(address.bucket()).key(address.key()).uploadId(upload)
                .partNumber(number).contentLength(length), RequestBody.fromContentProvider(content, length,
                        "application/octet-stream"))
                .eTag();
        return CompletedPart.builder().partNumber(number).eTag(tag).build();
    }

    /** The upload of this content that has begun, with the parts that are there. */
    private Optional<String> begun(String sha256, Map<Integer, Part> there) throws IOException {
        List<String> lines = Files.isRegularFile(note) ? Files.readAllLines(note) : List.of();
        if (lines.size() != 2 || !lines.get(0).equals(sha256)) {
            return Optional.empty();
        }
        try {
            client.listPartsPaginator(request -> request.bucket(address.bucket()).key(address.key())
                    .uploadId(lines.get(1))).parts().forEach(part -> there.put(part.partNumber(), part));
            return Optional.of(lines.get(1));
        } catch (S3Exception e) {
            if (e.statusCode() == S3Store.NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static InputStream open(Path file, long from, long length) {
        try {
            FileChannel channel = FileChannel.open(file);
            channel.position(from);
            return new LimitedStream(Channels.newInputStream(channel), length);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    private static String md5(InputStream content) throws IOException {
        try (InputStream in = content) {
            MessageDigest digest = MessageDigest.getInstance("MD5");
            byte[] buffer = new byte[1 << 16];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has MD5", e);
        }
    }

    /** The first bytes of a stream. */
    static final class LimitedStream extends FilterInputStream {
        private long left;

        LimitedStream(InputStream in, long length) {
            super(in);
            left = length;
        }

        @Override
        public int read() throws IOException {
            int value = left == 0 ? -1 : super.read();
            left -= value < 0 ? 0 : 1;
            return value;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int read = left == 0 ? -1 : super.read(target, offset, (int) Math.min(length, left));
            left -= Math.max(0, read);
            return read;
        }

        @Override
        public long skip(long count) throws IOException {
            long skipped = super.skip(Math.min(count, left));
            left -= skipped;
            return skipped;
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
