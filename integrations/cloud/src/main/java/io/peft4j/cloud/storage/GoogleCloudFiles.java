package io.peft4j.cloud.storage;

import com.google.cloud.BaseServiceException;
import com.google.cloud.NoCredentials;
import com.google.cloud.ReadChannel;
import com.google.cloud.storage.Blob;
import com.google.cloud.storage.BlobId;
import com.google.cloud.storage.BlobInfo;
import com.google.cloud.storage.Storage;
import com.google.cloud.storage.StorageOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code gs://bucket/key}, through Google's SDK: credentials and endpoint ({@code STORAGE_EMULATOR_HOST}) are found as
 * it finds them.
 */
public final class GoogleCloudFiles extends StoredFiles {
    /** For ServiceLoader. */
    public GoogleCloudFiles() {
        // A reference to the method would load the class here, and with it a library that may not be there.
        super("gs", "Google's SDK (com.google.cloud:google-cloud-storage)", () -> GoogleStore.fromEnvironment());
    }

    /** Google Cloud Storage. Large files are written in pieces, which the SDK tries again where one fails. */
    static final class GoogleStore implements ObjectStore {
        private final Storage storage;

        private GoogleStore(Storage storage) {
            this.storage = storage;
        }

        /** With credentials and endpoint of the environment. */
        public static GoogleStore fromEnvironment() {
            String emulator = System.getenv("STORAGE_EMULATOR_HOST");
            return emulator == null || emulator.isBlank()
                    ? new GoogleStore(StorageOptions.getDefaultInstance().getService()) : emulated(emulator);
        }

        /** An emulator needs no credentials. */
        static GoogleStore emulated(String host) {
            return new GoogleStore(StorageOptions.newBuilder().setHost(host.contains("://") ? host : "http://" + host)
                    .setCredentials(NoCredentials.getInstance()).setProjectId("emulated").build().getService());
        }

        Storage client() {
            return storage;
        }

        @Override
        public Optional<StoredObject> find(Address address) throws IOException {
            try {
                return Optional.ofNullable(storage.get(BlobId.of(address.bucket(), address.key())))
                        .map(GoogleStore::described);
            } catch (BaseServiceException e) {
                throw failure(address, e);
            }
        }

        private static StoredObject described(Blob blob) {
            String sha256 = blob.getMetadata() == null ? null : blob.getMetadata().get(S3Store.SHA256);
            Optional<Checksum> sum = sha256 != null ? Optional.of(new Checksum(Checksum.Kind.SHA256, sha256))
                    : Optional.ofNullable(blob.getCrc32c()).map(text -> new Checksum(Checksum.Kind.CRC32C,
                            HexFormat.of().formatHex(Base64.getDecoder().decode(text))));
            return new StoredObject(blob.getName(), blob.getSize(), String.valueOf(blob.getGeneration()), sum);
        }

        @Override
        public List<StoredObject> list(Address folder) throws IOException {
            try {
                List<StoredObject> objects = new ArrayList<>();
                String prefix = folder.key().isEmpty() ? "" : folder.key() + "/";
                for (Blob blob : storage.list(folder.bucket(), Storage.BlobListOption.prefix(prefix)).iterateAll()) {
                    if (!blob.getName().endsWith("/")) {
                        objects.add(described(blob));
                    }
                }
                return objects;
            } catch (BaseServiceException e) {
                throw failure(folder, e);
            }
        }

        @Override
        public InputStream open(Address address, String version, long from) throws IOException {
            try {
                ReadChannel channel = storage
                        .reader(BlobId.of(address.bucket(), address.key(), Long.parseLong(version)));
                channel.seek(from);
                return Channels.newInputStream(channel);
            } catch (BaseServiceException e) {
                throw failure(address, e);
            }
        }

        @Override
        public void write(Path file, Address address, String sha256) throws IOException {
            try {
                String crc = Checksum.of(Checksum.Kind.CRC32C, file).hex();
                BlobInfo info = BlobInfo.newBuilder(address.bucket(), address.key())
                        .setMetadata(Map.of(S3Store.SHA256, sha256))
                        .setCrc32c(Base64.getEncoder().encodeToString(HexFormat.of().parseHex(crc))).build();
                storage.createFrom(info, file, Storage.BlobWriteOption.crc32cMatch());
            } catch (BaseServiceException e) {
                throw failure(address, e);
            }
        }

        @Override
        public void delete(Address address) throws IOException {
            try {
                storage.delete(BlobId.of(address.bucket(), address.key()));
            } catch (BaseServiceException e) {
                throw failure(address, e);
            }
        }

        private static IOException failure(Address address, BaseServiceException e) {
            return new IOException(address + ": " + e.getMessage(), e);
        }
    }
}
