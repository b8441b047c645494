package io.peft4j.models.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A connection that goes dead within the body of a response. */
class StallGuardTest {

    @Test
    void dataIsPassedThrough() throws IOException {
        byte[] buffer = new byte[8];
        try (StallGuard guard = new StallGuard(new ByteArrayInputStream(new byte[] {1, 2, 3}),
                Duration.ofSeconds(60))) {
            assertEquals(3, guard.read(buffer));
            assertArrayEquals(new byte[] {1, 2, 3}, Arrays.copyOf(buffer, 3));
            assertEquals(-1, guard.read(buffer));
        }
    }

    @Test
    void aBodyThatNoThreadCanWatchIsClosed() {
        boolean[] closed = new boolean[1];
        InputStream body = new ByteArrayInputStream(new byte[3]) {
            @Override
            public void close() {
                closed[0] = true;
            }
        };
        try (Faults refusing = Faults.where(Step.THREAD, true, what -> true)) {
            assertThrows(OutOfMemoryError.class, () -> new StallGuard(body, Duration.ofSeconds(60)));
        }
        assertTrue(closed[0]);
    }

    @Test
    void deadConnectionEndsTheRead() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread half = new Thread(() -> sendHalf(server));
            half.start();
            HttpResponse<InputStream> response = HttpClient.newHttpClient().send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getLocalPort() + "/")).build(),
                    HttpResponse.BodyHandlers.ofInputStream());
            try (StallGuard guard = new StallGuard(response.body(), Duration.ofMillis(300))) {
                byte[] buffer = new byte[8];
                assertEquals(4, guard.read(buffer));
                assertThrows(StallGuard.Stalled.class, () -> guard.read(buffer));
            }
            half.interrupt();
            half.join();
        }
    }

    /** Half a body, and then silence until interrupted. */
    private static void sendHalf(ServerSocket server) {
        try (Socket socket = server.accept()) {
            String half = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf";
            socket.getOutputStream().write(half.getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            Thread.sleep(600_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
