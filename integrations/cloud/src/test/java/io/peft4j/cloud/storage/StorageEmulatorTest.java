package io.peft4j.cloud.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.cloud.storage.BucketInfo;
import io.peft4j.cloud.jobs.Emulator;
import io.peft4j.cloud.storage.GoogleCloudFiles.GoogleStore;
import io.peft4j.cloud.storage.S3Parts.LimitedStream;
import io.peft4j.core.io.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** Files in S3 as moto emulates it, and in Google Cloud Storage as fake-gcs-server does. */
class StorageEmulatorTest {
    @TempDir
    private static Path shared;
    private static Emulator moto;
    private static Emulator google;
    private static S3Client s3;
    private static Map<String, ObjectStore> stores;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() throws Exception {
        moto = Emulator.moto(shared);
        google = Emulator.googleStorage(shared);
        s3 = S3Client.builder().httpClient(UrlConnectionHttpClient.create()).forcePathStyle(true)
                .region(Region.EU_CENTRAL_1).endpointOverride(URI.create(moto.address()))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("a", "b"))).build();
        s3.createBucket(request -> request.bucket("bucket")
                .createBucketConfiguration(place -> place.locationConstraint("eu-central-1")));
        GoogleStore gs = GoogleStore.emulated(google.address());
        gs.client().create(BucketInfo.of("bucket"));
        stores = Map.of("s3", S3Store.of(s3, shared.resolve("notes")), "gs", gs);
        Files.createDirectories(shared.resolve("notes"));
    }

    @AfterAll
    static void stop() {
        moto.close();
        google.close();
    }

    private static byte[] bytes(int count, long seed) {
        byte[] bytes = new byte[count];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    /** Counts what is asked for, and breaks off. */
    private static final class Counting implements ObjectStore {
        private final ObjectStore store;
        private final List<Long> opened = new ArrayList<>();
        private final List<String> written = new ArrayList<>();
        private int breaks;

        Counting(ObjectStore store) {
            this.store = store;
        }

        @Override
        public Optional<StoredObject> find(Address address) throws IOException {
            return store.find(address);
        }

        @Override
        public List<StoredObject> list(Address address) throws IOException {
            return store.list(address);
        }

        @Override
        public InputStream open(Address address, String version, long from) throws IOException {
            opened.add(from);
            InputStream in = store.open(address, version, from);
            return breaks-- > 0 ? new LimitedStream(in, 100_000) : in;
        }

        @Override
        public void write(Path file, Address address, String sha256) throws IOException {
            written.add(address.key());
            store.write(file, address, sha256);
        }

        @Override
        public void delete(Address address) throws IOException {
            store.delete(address);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3", "gs"})
    void aFolderComesBackAsItWent(String scheme) throws IOException {
        Path here = folder.resolve("here");
        Map<String, byte[]> contents = Map.of("adapter_config.json", bytes(10, 1), "adapter_model.safetensors",
                bytes(300_000, 2), "checkpoint-5/state.json", bytes(0, 3), "tokenizer with blank ä.json", bytes(7, 4));
        for (Map.Entry<String, byte[]> content : contents.entrySet()) {
            Files.createDirectories(here.resolve(content.getKey()).getParent());
            Files.write(here.resolve(content.getKey()), content.getValue());
        }
        Files.write(here.resolve(".peft4j.lock"), bytes(3, 5));
        Counting store = new Counting(stores.get(scheme));
        Address address = Address.of(scheme + "://bucket/runs/one/");
        Transfer transfer = new Transfer(store, folder.resolve("cache"));
        transfer.publish(here, address);
        assertEquals("runs/one/adapter_config.json", store.written.get(store.written.size() - 1));
        transfer.publish(here, address);
        assertEquals(contents.size(), store.written.size(), "what is there does not go again");

        Path there = folder.resolve("there");
        transfer.fetch(address, there);
        for (Map.Entry<String, byte[]> content : contents.entrySet()) {
            assertArrayEquals(content.getValue(), Files.readAllBytes(there.resolve(content.getKey())));
        }
        try (Stream<Path> files = Files.walk(there)) {
            assertEquals(contents.size(), files.filter(Files::isRegularFile).count());
        }
        int asked = store.opened.size();
        transfer.fetch(address, there);
        assertEquals(asked, store.opened.size(), "what is here is not asked for again");
        Files.write(here.resolve("adapter_config.json"), bytes(10, 6));
        transfer.publish(here, address);
        transfer.fetch(address, there);
        assertArrayEquals(bytes(10, 6), Files.readAllBytes(there.resolve("adapter_config.json")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3", "gs"})
    void aFileThatBreaksOffGoesOnWhereItWas(String scheme) throws IOException {
        byte[] content = bytes(350_000, 7);
        Address address = Address.of(scheme + "://bucket/broken/file.bin");
        stores.get(scheme).write(Files.write(folder.resolve("file"), content), address, "");
        stores.get(scheme).delete(address);
        new Transfer(stores.get(scheme), folder).publish(folder.resolve("file"), address);
        Counting store = new Counting(stores.get(scheme));
        store.breaks = 2;
        Path place = folder.resolve("there/file.bin");
        new Transfer(store, folder.resolve("cache")).fetch(address, place);
        assertEquals(List.of(0L, 100_000L, 200_000L), store.opened);
        assertArrayEquals(content, Files.readAllBytes(place));
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3", "gs"})
    void aFileThatAnotherProcessHasBegunGoesOnThereUnlessItHasChanged(String scheme) throws IOException {
        byte[] content = bytes(200_000, 8);
        Address address = Address.of(scheme + "://bucket/begun/file.bin");
        Path file = Files.write(folder.resolve("file"), content);
        Transfer sender = new Transfer(stores.get(scheme), folder.resolve("other"));
        sender.publish(file, address);
        Counting dying = new Counting(stores.get(scheme));
        Path place = folder.resolve("there/file.bin");
        Path cache = folder.resolve("cache");
        dying.breaks = 1;
        ObjectStore once = new Once(dying);
        assertThrows(IOException.class, () -> new Transfer(once, cache).fetch(address, place));
        assertFalse(Files.exists(place));
        Counting store = new Counting(stores.get(scheme));
        new Transfer(store, cache).fetch(address, place);
        assertEquals(List.of(100_000L), store.opened);
        assertArrayEquals(content, Files.readAllBytes(place));
    }

    /** Opens an object once, and then is as good as dead. */
    private record Once(Counting store) implements ObjectStore {
        @Override
        public Optional<StoredObject> find(Address address) throws IOException {
            return store.find(address);
        }

        @Override
        public List<StoredObject> list(Address address) throws IOException {
            return store.list(address);
        }

        @Override
        public InputStream open(Address address, String version, long from) throws IOException {
            if (!store.opened.isEmpty()) {
                throw new IOException("gone");
            }
            return store.open(address, version, from);
        }

        @Override
        public void write(Path file, Address address, String sha256) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void delete(Address address) {
            throw new UnsupportedOperationException();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3", "gs"})
    void whatComesDamagedIsNotTaken(String scheme) throws IOException {
        Address address = Address.of(scheme + "://bucket/damaged/file.bin");
        Path file = Files.write(folder.resolve("file"), bytes(1000, 9));
        stores.get(scheme).write(file, address, "00".repeat(32));
        Path place = folder.resolve("there/file.bin");
        IOException failure = assertThrows(IOException.class,
                () -> new Transfer(stores.get(scheme), folder.resolve("cache")).fetch(address, place));
        assertTrue(failure.getMessage().contains("SHA256 mismatch"), failure.getMessage());
        assertFalse(Files.exists(place));
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3", "gs"})
    void nothingIsThereWhereNothingIs(String scheme) throws IOException {
        Path place = folder.resolve("there");
        new Transfer(stores.get(scheme), folder.resolve("cache")).fetch(Address.of(scheme + "://bucket/none"), place);
        assertFalse(Files.exists(place));
        IOException failure = assertThrows(IOException.class, () -> new Transfer(stores.get(scheme),
                folder.resolve("cache")).fetch(Address.of(scheme + "://no-such-bucket/none"), place));
        assertTrue(failure.getMessage().startsWith(scheme + "://no-such-bucket/none: "), failure.getMessage());
    }

    /** What others have written has no SHA-256 of ours, but the storage's own checksum. */
    @Test
    void whatOthersHaveWrittenIsComparedWithTheStoragesOwnChecksum() throws IOException {
        s3.putObject(request -> request.bucket("bucket").key("others/file"), RequestBody.fromBytes(bytes(1000, 10)));
        StoredObject object = stores.get("s3").find(Address.of("s3://bucket/others/file")).orElseThrow();
        Path file = Files.write(folder.resolve("file"), bytes(1000, 10));
        assertTrue(object.checksum().orElseThrow().fits(file), object.toString());
        assertFalse(object.checksum().orElseThrow().fits(Files.write(file, bytes(1000, 11))));
    }

    @Test
    void aLargeFileGoesInPartsAndGoesOnWithThoseThatAreMissing() throws IOException {
        byte[] content = bytes((int) S3Parts.PART_BYTES + 6_000_000, 12);
        Path file = Files.write(folder.resolve("large"), content);
        Address address = Address.of("s3://bucket/large.bin");
        String sha256 = Checksum.of(Checksum.Kind.SHA256, file).hex();
        String upload = s3.createMultipartUpload(request -> request.bucket("bucket").key("large.bin")
                .metadata(Map.of(S3Store.SHA256, sha256))).uploadId();
        s3.uploadPart(request -> request.bucket("bucket").key("large.bin").uploadId(upload).partNumber(1),
                RequestBody.fromBytes(Arrays.copyOf(content, (int) S3Parts.PART_BYTES)));
        Path note = shared.resolve("notes/" + Sha256.of(address.toString()) + ".upload");
        Files.writeString(note, sha256 + "\n" + upload);
        stores.get("s3").write(file, address, sha256);
        assertFalse(Files.exists(note));
        assertTrue(s3.listMultipartUploads(request -> request.bucket("bucket")).uploads().isEmpty());
        Path place = folder.resolve("there");
        new Transfer(stores.get("s3"), folder.resolve("cache")).fetch(address, place);
        assertArrayEquals(content, Files.readAllBytes(place));
    }
}
