package io.peft4j.cloud.storage;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.ChecksumType;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

/** Amazon S3, and what speaks its protocol. */
final class S3Store implements ObjectStore {
    /** The checksum that is kept with what is written here. */
    static final String SHA256 = "sha256";
    static final int NOT_FOUND = 404;

    private final S3Client client;
    private final Path notes;

    private S3Store(S3Client client, Path notes) {
        this.client = client;
        this.notes = notes;
    }

    /** With credentials, region and endpoint of the environment. */
    public static S3Store fromEnvironment() {
        // Buckets as names of hosts are Amazon's own way; what else speaks the protocol knows paths.
        boolean elsewhere = System.getenv("AWS_ENDPOINT_URL") != null || System.getenv("AWS_ENDPOINT_URL_S3") != null;
        return new S3Store(S3Client.builder().httpClient(UrlConnectionHttpClient.create()).forcePathStyle(elsewhere)
                .build(), LocalPlace.root(System.getenv()).resolve(LocalPlace.NOTES));
    }

    static S3Store of(S3Client client, Path notes) {
        return new S3Store(client, notes);
    }

    @Override
    public Optional<StoredObject> find(Address address) throws IOException {
        try {
            HeadObjectResponse head = client.headObject(request -> request.bucket(address.bucket()).key(address.key())
                    .checksumMode(ChecksumMode.ENABLED));
            return Optional.of(new StoredObject(address.key(), head.contentLength(), head.eTag(), checksum(head)));
        } catch (NoSuchKeyException e) {
            return Optional.empty();
        } catch (S3Exception e) {
            if (e.statusCode() == NOT_FOUND) {
                return Optional.empty();
            }
            throw failure(address, e);
        } catch (SdkException e) {
            throw failure(address, e);
        }
    }

    /** The best checksum of the whole content that S3 has; an ETag is an MD5 only of what was not written in parts. */
    private static Optional<Checksum> checksum(HeadObjectResponse head) {
        if (head.metadata().containsKey(SHA256)) {
            return Optional.of(new Checksum(Checksum.Kind.SHA256, head.metadata().get(SHA256)));
        }
        if (head.checksumType() == ChecksumType.FULL_OBJECT) {
            for (Map.Entry<Checksum.Kind, String> sum : given(head).entrySet()) {
                return Optional.of(new Checksum(sum.getKey(),
                        HexFormat.of().formatHex(Base64.getDecoder().decode(sum.getValue()))));
            }
        }
        String tag = head.eTag().replace("\"", "");
        boolean plain = head.serverSideEncryption() == null
                || head.serverSideEncryption() == ServerSideEncryption.AES256;
        return tag.matches("[0-9a-f]{32}") && plain ? Optional.of(new Checksum(Checksum.Kind.MD5, tag))
                : Optional.empty();
    }

    private static Map<Checksum.Kind, String> given(HeadObjectResponse head) {
        return head.checksumSHA256() != null ? Map.of(Checksum.Kind.SHA256, head.checksumSHA256())
                : head.checksumCRC32C() != null ? Map.of(Checksum.Kind.CRC32C, head.checksumCRC32C())
                        : head.checksumCRC32() != null ? Map.of(Checksum.Kind.CRC32, head.checksumCRC32()) : Map.of();
    }

    @Override
    public List<StoredObject> list(Address folder) throws IOException {
        String prefix = folder.key().isEmpty() ? "" : folder.key() + "/";
        try {
            List<String> keys = new ArrayList<>();
            client.listObjectsV2Paginator(request -> request.bucket(folder.bucket()).prefix(prefix)).contents()
                    .forEach(object -> keys.add(object.key()));
            List<StoredObject> objects = new ArrayList<>();
            for (String key : keys) {
                if (!key.endsWith("/")) {
                    find(new Address(folder.scheme(), folder.bucket(), key)).ifPresent(objects::add);
                }
            }
            return objects;
        } catch (SdkException e) {
            throw failure(folder, e);
        }
    }

    @Override
    public InputStream open(Address address, String version, long from) throws IOException {
        try {
            return client.getObject(request -> request.bucket(address.bucket()).key(address.key()).ifMatch(version)
                    .range("bytes=" + from + "-"));
        } catch (SdkException e) {
            throw failure(address, e);
        }
    }

    @Override
    public void write(Path file, Address address, String sha256) throws IOException {
        try {
            if (Files.size(file) > S3Parts.PART_BYTES) {
                new S3Parts(client, address, notes).write(file, sha256);
            } else {
                client.putObject(request -> request.bucket(address.bucket()).key(address.key())
                        .metadata(Map.of(SHA256, sha256)), RequestBody.fromFile(file));
            }
        } catch (SdkException e) {
            throw failure(address, e);
        }
    }

    @Override
    public void delete(Address address) throws IOException {
        try {
            client.deleteObject(request -> request.bucket(address.bucket()).key(address.key()));
        } catch (SdkException e) {
            throw failure(address, e);
        }
    }

    private static IOException failure(Address address, SdkException e) {
        return new IOException(address + ": " + e.getMessage(), e);
    }
}
