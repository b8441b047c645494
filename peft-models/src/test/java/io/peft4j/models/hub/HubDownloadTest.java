package io.peft4j.models.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.ModelNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models from a hub that runs in this test, into a cache with Python's layout. */
class HubDownloadTest {
    private static final byte[] WEIGHTS = bytes(3_000_000);

    @TempDir
    Path folder;

    private FakeHub hub;
    private Recorder recorder;

    @BeforeEach
    void start() throws IOException {
        hub = new FakeHub();
        recorder = new Recorder();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void freshDownloadBringsWhatAModelNeedsInPythonsLayout() throws IOException {
        hub.model(WEIGHTS);
        ModelSource source = locator(options()).locate(FakeHub.ID);

        Path repository = folder.resolve("models--acme--tiny");
        Path snapshot = repository.resolve("snapshots").resolve(FakeHub.COMMIT);
        assertInstanceOf(ModelSource.HuggingFaceFolder.class, source);
        assertEquals(snapshot, source.path());
        assertEquals(FakeHub.ID, source.name());
        assertEquals(FakeHub.COMMIT, source.provenance().revision().orElseThrow());
        assertEquals(FakeHub.COMMIT, Files.readString(repository.resolve("refs").resolve("main")));
        assertEquals(List.of("chat_template.jinja", "config.json", "generation_config.json", "model.safetensors",
                "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"), ModelFiles.names(snapshot));

        String weights = FakeHub.sha256(WEIGHTS);
        assertArrayEquals(WEIGHTS, Files.readAllBytes(repository.resolve("blobs").resolve(weights)));
        assertEquals(Path.of("../../blobs", weights), Files.readSymbolicLink(snapshot.resolve("model.safetensors")));
        assertEquals(Path.of("../../blobs", FakeHub.gitHash("{}".getBytes())),
                Files.readSymbolicLink(snapshot.resolve("config.json")));
        assertTrue(Files.exists(folder.resolve(".locks").resolve("models--acme--tiny").resolve(weights + ".lock")));
        assertEquals(List.of(), ModelFiles.names(repository.resolve("blobs")).stream()
                .filter(name -> name.endsWith(".incomplete")).toList());
        assertTrue(recorder.finished.contains("model.safetensors"));
        assertTrue(recorder.started.contains("model.safetensors 3000000"));
        assertEquals(WEIGHTS.length, recorder.done.get(recorder.done.size() - 1));
    }

    @Test
    void secondCallMakesNoRequest() {
        hub.model(WEIGHTS);
        Path first = locator(options()).locate(FakeHub.ID).path();
        int requests = hub.requests.size();
        assertEquals(first, locator(options()).locate(FakeHub.ID).path());
        assertEquals(first, locator(options().withOffline(true)).locate(FakeHub.ID).path());
        assertEquals(first, locator(options()).locate(FakeHub.ID + "@" + FakeHub.COMMIT).path());
        assertEquals(requests, hub.requests.size());
    }

    @Test
    void offlineMakesNoRequest() {
        hub.model(WEIGHTS);
        ModelNotFoundException e = assertThrows(ModelNotFoundException.class,
                () -> locator(options().withOffline(true)).locate(FakeHub.ID));
        assertEquals(0, hub.requests.size());
        assertContains(e, "HF_HUB_OFFLINE", folder.toString(), "does not have acme/tiny");
    }

    @Test
    void interruptedDownloadGoesOnWhereItBroke() throws IOException {
        hub.model(WEIGHTS);
        hub.breakOnce("model.safetensors", 1_000_000);
        ModelSource source = locator(options()).locate(FakeHub.ID);
        assertArrayEquals(WEIGHTS, Files.readAllBytes(source.path().resolve("model.safetensors")));
        List<FakeHub.Request> asked = hub.requests.stream()
                .filter(request -> request.path().endsWith("model.safetensors")).toList();
        assertEquals(2, asked.size());
        // The client may have dropped what was in its buffers when the connection broke, so the offset is not exact.
        String range = asked.get(1).range();
        assertTrue(range != null && range.matches("bytes=\\d+-") && !range.equals("bytes=0-"), range);
    }

    @Test
    void anotherProcessGoesOnWithAPartialFile() throws IOException {
        hub.model(WEIGHTS);
        Path blobs = Files.createDirectories(folder.resolve("models--acme--tiny").resolve("blobs"));
        Files.write(blobs.resolve(FakeHub.sha256(WEIGHTS) + ".peft4j.incomplete"),
                Arrays.copyOf(WEIGHTS, 1234));
        ModelSource source = locator(options()).locate(FakeHub.ID);
        assertArrayEquals(WEIGHTS, Files.readAllBytes(source.path().resolve("model.safetensors")));
        assertEquals(List.of("bytes=1234-"), hub.requests.stream()
                .filter(r -> r.path().endsWith("model.safetensors")).map(FakeHub.Request::range).toList());
    }

    @Test
    void hubWithoutRangesSendsAllAgain() throws IOException {
        hub.model(WEIGHTS);
        hub.ignoreRange();
        hub.breakOnce("model.safetensors", 1_000_000);
        ModelSource source = locator(options()).locate(FakeHub.ID);
        assertArrayEquals(WEIGHTS, Files.readAllBytes(source.path().resolve("model.safetensors")));
    }

    @Test
    void spoiltPartialFileIsThrownAway() throws IOException {
        hub.model(WEIGHTS);
        Path blobs = Files.createDirectories(folder.resolve("models--acme--tiny").resolve("blobs"));
        Files.write(blobs.resolve(FakeHub.sha256(WEIGHTS) + ".peft4j.incomplete"), new byte[77]);
        ModelSource source = locator(options()).locate(FakeHub.ID);
        assertArrayEquals(WEIGHTS, Files.readAllBytes(source.path().resolve("model.safetensors")));
    }

    @Test
    void damagedContentIsTriedOnceMore() throws IOException {
        hub.model(WEIGHTS);
        hub.spoil("model.safetensors", 1);
        hub.spoil("config.json", 1);
        ModelSource source = locator(options()).locate(FakeHub.ID);
        assertArrayEquals(WEIGHTS, Files.readAllBytes(source.path().resolve("model.safetensors")));
        assertEquals("{}", Files.readString(source.path().resolve("config.json")));
    }

    @Test
    void contentThatStaysDamagedIsRefusedAndRemoved() {
        hub.model(WEIGHTS);
        hub.spoil("model.safetensors", 99);
        ModelNotFoundException e = assertThrows(ModelNotFoundException.class,
                () -> locator(options()).locate(FakeHub.ID));
        assertContains(e, "model.safetensors is damaged", FakeHub.sha256(WEIGHTS), hub.address());
        assertEquals(2, hub.filesAsked().stream().filter("model.safetensors"::equals).count());
        Path repository = folder.resolve("models--acme--tiny");
        assertFalse(ModelFiles.names(repository.resolve("blobs")).stream()
                .anyMatch(name -> name.startsWith(FakeHub.sha256(WEIGHTS))));
        assertFalse(Files.exists(repository.resolve("refs").resolve("main")));
    }

    @Test
    void busyHubIsRetried() {
        hub.model(WEIGHTS);
        hub.answerBusy(2);
        assertEquals(FakeHub.ID, locator(options()).locate(FakeHub.ID).name());
        assertEquals(2, recorder.notes.stream().filter(note -> note.contains("503")).count());
    }

    @Test
    void rateLimitsAreWaitedForAsLongAsTheHubAsks() {
        hub.model(WEIGHTS);
        hub.limitRate(1, "1");
        assertEquals(FakeHub.ID, locator(options()).locate(FakeHub.ID).name());
        assertEquals(1, recorder.notes.stream().filter(note -> note.startsWith("Trying again in 1000 ms")
                && note.contains("429")).count(), recorder.notes.toString());
    }

    @Test
    void rateLimitsOfHoursAreReported() {
        hub.model(WEIGHTS);
        hub.limitRate(1, "7200");
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator(options()).locate(FakeHub.ID)),
                "Cannot fetch model 'acme/tiny': " + hub.address() + " answered 429",
                "asks to wait 7200 s", "HF_TOKEN");
        assertEquals(1, hub.requests.size());
    }

    @Test
    void filesOfASentenceTransformersModelComeWithTheirFolders() {
        hub.model(WEIGHTS).small("modules.json", "[]").small("sentence_bert_config.json", "{\"m\":1}")
                .small("config_sentence_transformers.json", "{\"v\":1}").small("1_Pooling/config.json", "{\"p\":1}")
                .large("2_Dense/model.safetensors", bytes(7)).small("openvino/config.json", "{}")
                .small("1_Pooling/deeper/config.json", "{}");
        Path snapshot = locator(options()).locate(FakeHub.ID).path();
        for (String name : List.of("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
                "1_Pooling/config.json", "2_Dense/model.safetensors")) {
            assertTrue(Files.isRegularFile(snapshot.resolve(name)), name);
        }
        assertFalse(hub.filesAsked().contains("openvino/config.json"));
        assertEquals(List.of("config.json"), ModelFiles.names(snapshot.resolve("1_Pooling")));
    }

    @Test
    void aModelOfDecisionsComesWithItsAdapter() {
        hub.model(WEIGHTS).small("decision.json", "{\"adapter\": \"tuned/small\"}")
                .small("tuned/small/adapter_config.json", "{}").large("tuned/small/adapter_model.safetensors", bytes(7))
                .small("other/adapter_config.json", "{}");
        Path snapshot = locator(options()).locate(FakeHub.ID).path();
        assertEquals(List.of("adapter_config.json", "adapter_model.safetensors"), ModelFiles.names(snapshot.resolve(
                "tuned/small")));
        assertFalse(Files.exists(snapshot.resolve("other")));
    }

    @Test
    void anAdapterElsewhereIsRefused() {
        hub.model(WEIGHTS).small("decision.json", "{\"adapter\": \"../../elsewhere\"}");
        assertContains(assertThrows(FileFormatException.class, () -> locator(options()).locate(FakeHub.ID)),
                "the adapter '../../elsewhere' is not the name of a folder below the model's");
    }

    @Test
    void aLayaCheckpointNeedsNoConfigurationAtItsRoot() {
        hub.large("model.safetensors", WEIGHTS).small("rl_agent_config.json", "{}")
                .small("encoder/config.json", "{\"e\":1}").small("tokenizer/tokenizer.json", "{\"t\":1}");
        Path snapshot = locator(options()).locate(FakeHub.ID).path();
        for (String name : List.of("rl_agent_config.json", "encoder/config.json", "tokenizer/tokenizer.json")) {
            assertTrue(Files.isRegularFile(snapshot.resolve(name)), name);
        }
        hub.requests.clear();
        assertEquals(snapshot, locator(options()).locate(FakeHub.ID).path());
    }

    @Test
    void refusedRequestsSayWhatToDo() {
        hub.answerAlways(401);
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator(options()).locate(FakeHub.ID)),
                "Cannot fetch model 'acme/tiny': " + hub.address() + " answered 401: ",
                "Also tried: (1) no such folder", "private", "no access token was sent (HF_TOKEN)");
        assertContains(assertThrows(ModelNotFoundException.class,
                () -> locator(options().withToken("hf_secret")).locate(FakeHub.ID)),
                "401", "the access token has no access to it");
        hub.answerAlways(404);
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator(options()).locate("acme/tiny@v2")),
                "Model 'acme/tiny@v2' was not found", "404", "no model acme/tiny with a revision v2");
        assertEquals(3, hub.requests.size());
    }

    @Test
    void unreachableHubIsReportedAtOnce() {
        String address = hub.address();
        hub.close();
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator(options()).locate(FakeHub.ID)),
                "cannot reach " + address);
    }

    @Test
    void nonHubServersAreReported() {
        hub.answerListingWith("<html>Please log in to the network</html>");
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator(options()).locate(FakeHub.ID)),
                "does not answer like a model hub", "HF_ENDPOINT");
    }

    @Test
    void hostileNamesLeaveNoFolder() {
        hub.answerListingWith("{\"sha\":\"../../x\",\"siblings\":[]}");
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator(options()).locate(FakeHub.ID)),
                "does not answer like a model hub");
        hub.answerListingWith("{\"sha\":\"" + FakeHub.COMMIT + "\",\"siblings\":[{\"rfilename\":\"config.json\"},"
                + "{\"rfilename\":\"../../../evil.safetensors\"},{\"rfilename\":\"tokenizer/../../../e.json\"}]}");
        hub.small("config.json", "{}").small("../../../evil.safetensors", "x").small("tokenizer/../../../e.json", "x");
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator(options()).locate(FakeHub.ID)),
                "has no *.safetensors files");
        assertEquals(List.of("config.json"), hub.filesAsked().stream().distinct().toList());
    }

    @Test
    void tokenGoesToTheHubAndNotToItsStorage() throws IOException {
        try (FakeHub storage = new FakeHub()) {
            storage.model(WEIGHTS);
            hub.model(WEIGHTS);
            hub.redirectLargeTo(storage.address());
            ModelSource source = locator(options().withToken("hf_secret")).locate(FakeHub.ID);
            assertArrayEquals(WEIGHTS, Files.readAllBytes(source.path().resolve("model.safetensors")));
            assertTrue(hub.requests.stream().allMatch(r -> "Bearer hf_secret".equals(r.authorization())));
            assertEquals(List.of("model.safetensors"), storage.filesAsked());
            assertEquals(null, storage.requests.get(0).authorization());
        }
    }

    @Test
    void listingWithoutChecksumsIsCompletedByTheFilesHeaders() throws IOException {
        try (FakeHub storage = new FakeHub()) {
            storage.model(WEIGHTS);
            hub.model(WEIGHTS);
            hub.tellNoChecksums();
            hub.redirectLargeTo(storage.address());
            ModelSource source = locator(options()).locate(FakeHub.ID);
            assertEquals(Path.of("../../blobs", FakeHub.sha256(WEIGHTS)),
                    Files.readSymbolicLink(source.path().resolve("model.safetensors")));
            assertEquals(Path.of("../../blobs", FakeHub.gitHash("{}".getBytes())),
                    Files.readSymbolicLink(source.path().resolve("config.json")));
        }
    }

    @Test
    void shardsOfTheIndexAndNoOthers() {
        hub.small("config.json", "{}").small("tokenizer.json", "{}").small("model.safetensors.index.json",
                "{\"weight_map\":{\"a\":\"model-1-of-2.safetensors\",\"b\":\"model-2-of-2.safetensors\"}}")
                .large("model-1-of-2.safetensors", bytes(10)).large("model-2-of-2.safetensors", bytes(20))
                .large("consolidated.safetensors", bytes(30));
        ModelSource source = locator(options()).locate(FakeHub.ID);
        assertEquals(List.of("config.json", "model-1-of-2.safetensors", "model-2-of-2.safetensors",
                "model.safetensors.index.json", "tokenizer.json"), ModelFiles.names(source.path()));
    }

    @Test
    void incompleteSnapshotIsCompleted() throws IOException {
        hub.model(WEIGHTS);
        Path snapshot = locator(options()).locate(FakeHub.ID).path();
        Path weights = snapshot.resolve("model.safetensors");
        Files.delete(weights.toRealPath());
        assertContains(assertThrows(ModelNotFoundException.class,
                () -> locator(options().withOffline(true)).locate(FakeHub.ID)),
                "has acme/tiny but lacks model.safetensors");
        locator(options()).locate(FakeHub.ID);
        assertArrayEquals(WEIGHTS, Files.readAllBytes(weights));
    }

    @Test
    void oneGgufFileByName() {
        hub.model(WEIGHTS).large("tiny.Q4_1.gguf", bytes(50));
        ModelSource source = locator(options()).locate(FakeHub.ID + ":tiny.Q4_1.gguf");
        assertInstanceOf(ModelSource.GgufPath.class, source);
        assertEquals(List.of("tiny.Q4_1.gguf"), hub.filesAsked());
        assertContains(assertThrows(ModelNotFoundException.class,
                () -> locator(options()).locate(FakeHub.ID + ":other.gguf")), "has no file other.gguf",
                "tiny.Q4_1.gguf");
    }

    @Test
    void repositoryWithoutSafetensorsListsItsFiles() {
        hub.small("README.md", "").large("a.gguf", bytes(5)).large("b.gguf", bytes(5));
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator(options()).locate(FakeHub.ID)),
                "has no config.json", "ID:FILE", "a.gguf, b.gguf");
        hub.small("adapter_config.json", "{}");
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator(options()).locate(FakeHub.ID)),
                "this is an adapter");
    }

    @Test
    void branchWithASlash() throws IOException {
        hub.model(WEIGHTS);
        hub.nameRevision("refs/pr/1");
        locator(options()).locate(FakeHub.ID + "@refs/pr/1");
        assertEquals(FakeHub.COMMIT, Files.readString(folder.resolve("models--acme--tiny/refs/refs/pr/1")));
    }

    @Test
    void refreshAsksAndFallsBackToTheCache() {
        hub.model(WEIGHTS);
        Path path = locator(options()).locate(FakeHub.ID).path();
        int requests = hub.requests.size();
        ModelLocator asking = builder(options()).refresh(true).build();
        assertEquals(path, asking.locate(FakeHub.ID).path());
        assertEquals(requests + 1, hub.requests.size());
        hub.answerAlways(500);
        assertEquals(path, asking.locate(FakeHub.ID).path());
    }

    @Test
    void twoThreadsDownloadOnce() throws Exception {
        hub.model(bytes(20_000_000));
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Callable<Path> task = () -> locator(options()).locate(FakeHub.ID).path();
            List<Future<Path>> paths = threads.invokeAll(List.of(task, task));
            assertEquals(paths.get(0).get(), paths.get(1).get());
        } finally {
            threads.shutdownNow();
        }
        assertEquals(1, hub.filesAsked().stream().filter("model.safetensors"::equals).count());
    }

    private HubOptions options() {
        return HubOptions.from(Map.of("HF_HUB_CACHE", folder.toString(), "HF_ENDPOINT", hub.address(),
                "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"));
    }

    private ModelLocator.Builder builder(HubOptions options) {
        return ModelLocator.builder().options(options).listener(recorder).firstPause(Duration.ofMillis(1));
    }

    private ModelLocator locator(HubOptions options) {
        return builder(options).build();
    }

    private static byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        new Random(count).nextBytes(bytes);
        return bytes;
    }

    static void assertContains(Exception e, String... parts) {
        for (String part : parts) {
            assertTrue(e.getMessage().contains(part), () -> "'" + part + "' is not in: " + e.getMessage());
        }
        assertFalse(e.getMessage().contains("\n"), "the command line prints one line");
    }
}
