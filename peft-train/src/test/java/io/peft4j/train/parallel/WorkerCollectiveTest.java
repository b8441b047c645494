package io.peft4j.train.parallel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerCollectiveTest {
    private static final InetAddress HERE = InetAddress.getLoopbackAddress();

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<WorkerSocket> sockets = new ArrayList<>();

    @AfterEach
    void close() {
        threads.shutdownNow();
        sockets.forEach(WorkerSocket::close);
    }

    private List<InetSocketAddress> listen(int count) {
        for (int i = 0; i < count; i++) {
            sockets.add(WorkerSocket.open(0, HERE));
        }
        return sockets.stream().map(socket -> new InetSocketAddress(HERE, socket.port())).toList();
    }

    private Future<WorkerCollective> join(int rank, List<InetSocketAddress> addresses, String secret, Duration time) {
        return threads.submit(() -> sockets.get(rank).join(new WorkerGroup(rank, addresses, secret)
                .withTimes(time, time)));
    }

    private List<WorkerCollective> meet(int count, Duration silence) throws Exception {
        List<InetSocketAddress> addresses = listen(count);
        List<Future<WorkerCollective>> all = new ArrayList<>();
        for (int rank = 0; rank < count; rank++) {
            all.add(join(rank, addresses, "secret", silence));
        }
        List<WorkerCollective> met = new ArrayList<>();
        for (Future<WorkerCollective> each : all) {
            met.add(each.get());
        }
        return met;
    }

    private <T> Future<T> on(Callable<T> task) {
        return threads.submit(task);
    }

    private static String failure(Future<?> future) {
        return assertThrows(ExecutionException.class, future::get).getCause().getMessage();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 1000, 3_000_001})
    void sumsAreThoseInTheOrderOfRanksOnEveryWorker(int count) throws Exception {
        int workers = 4;
        List<WorkerCollective> met = meet(workers, Duration.ofSeconds(20));
        float[][] values = new float[workers][count];
        float[] expected = new float[count];
        for (int rank = 0; rank < workers; rank++) {
            SplittableRandom random = new SplittableRandom(rank);
            for (int i = 0; i < count; i++) {
                values[rank][i] = (float) random.nextGaussian();
                expected[i] += values[rank][i];
            }
        }
        List<Future<Object>> sums = new ArrayList<>();
        for (int rank = 0; rank < workers; rank++) {
            int own = rank;
            sums.add(on(() -> {
                met.get(own).sum(values[own], count);
                return null;
            }));
        }
        for (int rank = 0; rank < workers; rank++) {
            sums.get(rank).get();
            assertArrayEquals(expected, values[rank]);
        }
        met.forEach(WorkerCollective::close);
    }

    @Test
    void whatIsSaidComesInTheOrderOfRanks() throws Exception {
        List<WorkerCollective> met = meet(3, Duration.ofSeconds(20));
        List<Future<List<byte[]>>> heard = met.stream().map(each -> on(() -> each.gather(
                "I am ".repeat(each.rank()).getBytes()))).toList();
        for (Future<List<byte[]>> each : heard) {
            assertEquals(List.of("", "I am ", "I am I am "), each.get().stream().map(String::new).toList());
        }
        met.forEach(WorkerCollective::close);
    }

    @Test
    void aConnectionWithoutTheSecretIsRefusedAndTheOthersStillMeet() throws Exception {
        List<InetSocketAddress> addresses = listen(2);
        Future<WorkerCollective> first = join(0, addresses, "secret", Duration.ofSeconds(20));
        try (Socket stranger = new Socket(HERE, addresses.get(0).getPort())) {
            OutputStream out = stranger.getOutputStream();
            out.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes());
            out.flush();
            String refusal = failure(join(1, addresses, "guess", Duration.ofSeconds(20)));
            assertTrue(refusal.startsWith("worker 0 (localhost:" + addresses.get(0).getPort() + ") and this worker "
                    + "(1 of 2) do not train together: it does not know the secret"), refusal);
        }
        WorkerCollective second = join(1, addresses, "secret", Duration.ofSeconds(20)).get();
        assertEquals(2, first.get().count());
        second.close();
        first.get().close();
    }

    @Test
    void aWorkerThatNeverComesIsNamed() {
        List<InetSocketAddress> addresses = listen(3);
        sockets.get(1).close();
        Future<WorkerCollective> waiting = join(0, addresses, "secret", Duration.ofMillis(300));
        Future<WorkerCollective> calling = join(2, addresses, "secret", Duration.ofMillis(300));

        String calls = failure(calling);
        String waits = failure(waiting);
        assertTrue(calls.startsWith("worker 2 could not reach worker 1 (localhost:"), calls);
        assertTrue(waits.startsWith("worker 1 (localhost:") && waits.endsWith("has not come within 0 s"), waits);
    }

    @Test
    void aWorkerThatIsGoneIsNamed() throws Exception {
        List<WorkerCollective> met = meet(3, Duration.ofSeconds(20));
        Future<List<byte[]>> words = on(() -> met.get(0).gather(new byte[1]));
        met.get(1).close();
        String gone = failure(words);
        assertTrue(gone.startsWith("worker 1 (localhost:") && gone.contains(" is gone: "), gone);
        met.forEach(WorkerCollective::close);
    }

    @Test
    void nothingIsSentAnyMoreWhenASumHasFailed() throws Exception {
        List<WorkerCollective> met = meet(3, Duration.ofSeconds(20));
        // Worker 2 takes nothing, so that sending its part never ends.
        Future<Object> sum = on(() -> {
            met.get(0).sum(new float[30_000_000], 30_000_000);
            return null;
        });
        met.get(1).close();
        failure(sum);
        assertEquals(List.of(), Thread.getAllStackTraces().values().stream().flatMap(Stream::of).filter(frame -> frame
                .getClassName().equals(Link.class.getName()) && frame.getMethodName().equals("send")).toList());
        met.forEach(WorkerCollective::close);
    }

    @Test
    void aWorkerThatDoesNotAnswerCountsAsLost() throws Exception {
        List<WorkerCollective> met = meet(2, Duration.ofMillis(300));
        String lost = failure(on(() -> met.get(0).gather(new byte[1])));
        assertTrue(lost.startsWith("worker 1 (") && lost.contains("counts as lost"), lost);
        met.forEach(WorkerCollective::close);
    }

    @Test
    void aWorkerWithAnotherNumberOfValuesIsOutOfStep() throws Exception {
        List<WorkerCollective> met = meet(2, Duration.ofSeconds(20));
        on(() -> {
            met.get(1).sum(new float[10], 8);
            return null;
        });
        String message = failure(on(() -> {
            met.get(0).sum(new float[10], 10);
            return null;
        }));
        assertTrue(message.contains("is out of step: it sent 16 bytes") && message.contains("of 20 bytes was due"),
                message);
        met.forEach(WorkerCollective::close);
    }

    @Test
    void groupsThatMakeNoSenseAreRefused() {
        List<InetSocketAddress> one = List.of(new InetSocketAddress(HERE, 1));
        assertThrows(ConfigurationException.class, () -> new WorkerGroup(1, one, "secret"));
        assertThrows(ConfigurationException.class, () -> new WorkerGroup(0, one, ""));
        assertThrows(ConfigurationException.class, () -> new WorkerGroup(0, List.of(), "secret"));
        assertThrows(ConfigurationException.class,
                () -> new WorkerGroup(0, one, "secret").withTimes(Duration.ZERO, Duration.ofSeconds(1)));
        assertThrows(ConfigurationException.class, () -> new WorkerGroup(0, one, "secret").withLocalSteps(0));
    }
}
