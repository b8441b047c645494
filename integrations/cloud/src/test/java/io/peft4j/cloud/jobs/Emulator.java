package io.peft4j.cloud.jobs;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A cloud's emulator as a process; {@code peft4j.emulators} names the folder whose {@code bin} has it. */
public final class Emulator implements AutoCloseable {
    private final Process process;
    private final int port;

    private Emulator(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Amazon's services. */
    public static Emulator moto(Path folder) throws IOException, InterruptedException {
        int port = freePort();
        return start(folder, port, "moto_server", "-H", "127.0.0.1", "-p", String.valueOf(port));
    }

    /** Google Cloud Storage. */
    public static Emulator googleStorage(Path folder) throws IOException, InterruptedException {
        int port = freePort();
        return start(folder, port, "fake-gcs-server", "-scheme", "http", "-host", "127.0.0.1", "-port",
                String.valueOf(port), "-backend", "memory", "-external-url", "http://127.0.0.1:" + port);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static Emulator start(Path folder, int port, String name, String... arguments)
            throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(Path.of(System.getProperty("peft4j.emulators", "."), "bin", name)
                .toAbsolutePath().toString()));
        words.addAll(List.of(arguments));
        Path log = folder.resolve(name + ".log");
        Process process = new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(log.toFile()).start();
        for (int i = 0; i < 600 && process.isAlive(); i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return new Emulator(process, port);
            } catch (IOException e) {
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
        process.destroyForcibly();
        throw new IOException(name + " does not start: " + Files.readString(log));
    }

    /** Its address. */
    public String address() {
        return "http://127.0.0.1:" + port;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
