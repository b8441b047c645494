package io.peft4j.serve;

import io.peft4j.core.JavaPrograms;
import io.peft4j.eval.VerdictOptions;
import io.peft4j.serve.answer.AnsweringOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A server in a process of its own, which can be killed. */
final class ServerProcess implements AutoCloseable {
    /** After so long without a sign of life a job goes to another server. */
    static final Duration LEASE = Duration.ofSeconds(2);
    private static final long PATIENCE_MILLIS = 60_000;

    private final Process process;
    private final Path out;
    private final Path log;

    private ServerProcess(Process process, Path out, Path log) {
        this.process = process;
        this.out = out;
        this.log = log;
    }

    /**
     * Starts one.
     *
     * @param data the data folder
     * @param database the database, where it is not the file in the folder
     * @param log the file for what it prints
     */
    static ServerProcess start(Path data, Optional<String> database, Path log) throws IOException {
        return start(data, database, log, "-Xmx256m");
    }

    /** As above, with options of Java for the memory. */
    static ServerProcess start(Path data, Optional<String> database, Path log, String... memory) throws IOException {
        List<String> words = JavaPrograms.command(memory);
        words.addAll(List.of("-XX:TieredStopAtLevel=1", "-Dai.djl.offline=true"));
        words.addAll(List.of("-cp", JavaPrograms.classPath(), ServerProcess.class.getName(), data.toString()));
        database.ifPresent(words::add);
        Path out = Files.createTempFile(log.getParent(), "server", ".out");
        ProcessBuilder program = new ProcessBuilder(words).redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
        // As the launcher has it.
        program.environment().put("MALLOC_ARENA_MAX", "1");
        return new ServerProcess(program.start(), out, log);
    }

    /** What the process does: serves until it is killed. */
    public static void main(String[] arguments) throws InterruptedException {
        FineTuningServerBuilder builder = FineTuningServer.builder(TestServer.load(), Path.of(arguments[0]))
                .verdict(VerdictOptions.NONE).jobsAtOnce(2).lease(LEASE);
        Path adapters = TestServer.MODEL.resolveSibling("adapters");
        builder.answering(AnsweringOptions.defaults().withAdapterRoots(adapters));
        if (arguments.length > 1) {
            builder.database(arguments[1]);
        }
        FineTuningServer server = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(server::close));
        System.out.println(server.url());
        Thread.currentThread().join();
    }

    /** Where it listens; waits until it does. */
    String url() throws InterruptedException {
        for (long waited = 0; waited < PATIENCE_MILLIS; waited += 20) {
            String printed = read(out);
            String line = printed.lines().findFirst().orElse("");
            if (line.startsWith("http") && printed.contains("\n")) {
                return line;
            }
            if (!process.isAlive()) {
                throw new AssertionError("the server has ended with status " + process.exitValue() + ":\n" + read(log));
            }
            Thread.sleep(20);
        }
        throw new AssertionError("the server does not listen");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What it has had of the processors. */
    Duration processorTime() {
        return process.info().totalCpuDuration().orElseThrow();
    }

    /** Lets them stand still for a while, as a machine does that is moved to another host. */
    static void pause(List<ServerProcess> servers, Duration time) throws IOException, InterruptedException {
        for (ServerProcess server : servers) {
            server.signal("-STOP");
        }
        Thread.sleep(time.toMillis());
        for (ServerProcess server : servers) {
            server.signal("-CONT");
        }
    }

    private void signal(String name) throws IOException, InterruptedException {
        if (new ProcessBuilder("kill", name, String.valueOf(process.pid())).start().waitFor() != 0) {
            throw new IOException("cannot send " + name);
        }
    }

    /** As a lack of power would. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** As a service manager does; gives the exit status. */
    int terminate() throws InterruptedException {
        process.destroy();
        return process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
