package io.peft4j.train.parallel;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import jdk.net.ExtendedSocketOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection to one other worker. What is sent is a head of its kind, a number that counts the calls, and its
 * length, which both sides know beforehand; then the bytes.
 */
final class Link implements AutoCloseable {
    /** Bytes that a head has. */
    private static final int HEAD = Integer.BYTES + Long.BYTES + Integer.BYTES;
    private static final int FAILED = -1;
    private static final int MOST_OF_REASON = 4096;
    private static final long FIRST_WARNING_SECONDS = 30;
    private static final int SLICE_MILLIS = 5000;
    private static final int FAREWELL_MILLIS = 500;
    private static final Logger LOG = LoggerFactory.getLogger(Link.class);
    /** A machine that vanished without a word is noticed after about a minute. */
    private static final Map<SocketOption<Integer>, Integer> ALIVE = Map.of(ExtendedSocketOptions.TCP_KEEPIDLE, 30,
            ExtendedSocketOptions.TCP_KEEPINTERVAL, 10, ExtendedSocketOptions.TCP_KEEPCOUNT, 3);

    private final Socket socket;
    private final String name;
    private final Duration silence;
    private final InputStream in;
    private final ReentrantLock sending = new ReentrantLock();

    /** What a worker sends. */
    enum Kind {
        PART, SUM, WORDS
    }

    Link(Socket socket, String name, Duration silence) throws IOException {
        this.socket = socket;
        this.name = name;
        this.silence = silence;
        this.in = socket.getInputStream();
        socket.setTcpNoDelay(true);
        socket.setKeepAlive(true);
        Set<SocketOption<?>> supported = socket.supportedOptions();
        for (Map.Entry<SocketOption<Integer>, Integer> option : ALIVE.entrySet()) {
            if (supported.contains(option.getKey())) {
                socket.setOption(option.getKey(), option.getValue());
            }
        }
        socket.setSoTimeout((int) Math.min(SLICE_MILLIS, Math.max(1, silence.toMillis())));
    }

    /** Sends bytes; blocks until they are on their way. */
    void send(Kind kind, long number, byte[] bytes) {
        sending.lock();
        try {
            write(kind.ordinal(), number, bytes);
        } catch (IOException e) {
            throw new WorkerException(name + " is gone: nothing can be sent to it (" + e.getMessage() + ")", e);
        } finally {
            sending.unlock();
        }
    }

    private void write(int kind, long number, byte[] bytes) throws IOException {
        socket.getOutputStream().write(ByteBuffer.allocate(HEAD).putInt(kind).putLong(number).putInt(bytes.length)
                .array());
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    /**
     * Waits for bytes.
     *
     * @param least the smallest number of them
     * @param most the greatest number of them
     */
    byte[] receive(Kind kind, long number, int least, int most) {
        long begin = System.nanoTime();
        ByteBuffer head = ByteBuffer.wrap(read(HEAD, begin));
        int found = head.getInt();
        long call = head.getLong();
        int length = head.getInt();
        if (found == FAILED) {
            String reason = new String(read(Math.max(0, Math.min(length, MOST_OF_REASON)), begin),
                    StandardCharsets.UTF_8);
            throw WorkerException.gaveUp(name, reason);
        }
        if (found != kind.ordinal() || call != number || length < least || length > most) {
            throw new WorkerException(name + " is out of step: it sent " + length + " bytes of kind " + found
                    + " in call " + call + ", where " + kind + " of " + least + (least == most ? "" : " to " + most)
                    + " bytes was due in call " + number + "; do all workers train the same?");
        }
        return read(length, begin);
    }

    private byte[] read(int length, long begin) {
        byte[] bytes = new byte[length];
        int done = 0;
        boolean warned = false;
        while (done < length) {
            try {
                int count = in.read(bytes, done, length - done);
                if (count < 0) {
                    throw new WorkerException(name + " is gone: it closed the connection");
                }
                done += count;
            } catch (SocketTimeoutException e) {
                long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin);
                if (System.nanoTime() - begin > silence.toNanos()) {
                    throw new WorkerException(name + " has not answered for " + seconds + " s and counts as lost", e);
                }
                if (!warned && seconds >= FIRST_WARNING_SECONDS) {
                    warned = true;
                    LOG.warn("{} has kept the others waiting for {} s", name, seconds);
                }
            } catch (IOException e) {
                throw new WorkerException(name + " is gone: " + e.getMessage(), e);
            }
        }
        return bytes;
    }

    /** Says that this worker gives up, if the other one listens, and closes. */
    void fail(String reason) {
        byte[] bytes = reason.getBytes(StandardCharsets.UTF_8);
        try {
            if (sending.tryLock(FAREWELL_MILLIS, TimeUnit.MILLISECONDS)) {
                try {
                    write(FAILED, 0, java.util.Arrays.copyOf(bytes, Math.min(bytes.length, MOST_OF_REASON)));
                    socket.shutdownOutput();
                    // A connection that is closed with unread bytes may lose what was sent last.
                    socket.setSoTimeout(FAREWELL_MILLIS);
                    in.skip(Long.MAX_VALUE);
                } finally {
                    sending.unlock();
                }
            }
        } catch (IOException e) {
            LOG.debug("{} is not told", name, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("the connection to {} does not close", name, e);
        }
    }
}
