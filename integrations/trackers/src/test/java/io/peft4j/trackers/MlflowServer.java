package io.peft4j.trackers;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** An MLflow server of Python's package on this machine. */
final class MlflowServer implements AutoCloseable {
    private final Process process;
    private final URI address;

    private MlflowServer(Process process, URI address) {
        this.process = process;
        this.address = address;
    }

    static MlflowServer start(String python, Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        Path log = folder.resolve("log.txt");
        Process process = new ProcessBuilder(python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port",
                Integer.toString(port), "--backend-store-uri", "sqlite:///" + folder.resolve("mlflow.db"),
                "--artifacts-destination", folder.resolve("artifacts").toString(), "--workers", "1")
                .redirectErrorStream(true).redirectOutput(log.toFile()).start();
        MlflowServer server = new MlflowServer(process, URI.create("http://127.0.0.1:" + port));
        HttpRequest health = HttpRequest.newBuilder(server.address.resolve("/health")).build();
        for (int i = 0; i < 600 && process.isAlive(); i++) {
            try {
                if (HttpClient.newHttpClient().send(health, HttpResponse.BodyHandlers.ofString()).statusCode() == 200) {
                    return server;
                }
            } catch (IOException e) {
                TimeUnit.MILLISECONDS.sleep(200);
            }
        }
        server.close();
        throw new IOException("the MLflow server does not answer: " + Files.readString(log));
    }

    URI address() {
        return address;
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
