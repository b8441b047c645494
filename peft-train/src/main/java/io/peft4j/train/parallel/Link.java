package io.peft4j.train.parallel;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
    /** Values that are sent or received at a time. */
    private static final int PIECE = 1 << 14;
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
            throw gone(e);
        } finally {
            sending.unlock();
        }
    }

    private void write(int kind, long number, byte[] bytes) throws IOException {
        writeHead(kind, number, bytes.length);
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    private void writeHead(int kind, long number, int length) throws IOException {
        socket.getOutputStream().write(ByteBuffer.allocate(HEAD).putInt(kind).putLong(number).putInt(length).array());
    }

    /** Sends the values from {@code from} to {@code to}, a piece at a time: they are never there twice as a whole. */
    void send(Kind kind, long number, float[] values, int from, int to) {
        sending.lock();
        try {
            writeHead(kind.ordinal(), number, Float.BYTES * (to - from));
            ByteBuffer piece = ByteBuffer.allocate(Float.BYTES * PIECE).order(ByteOrder.LITTLE_ENDIAN);
            for (int at = from; at < to; at += PIECE) {
                int some = Math.min(PIECE, to - at);
                piece.asFloatBuffer().put(values, at, some);
                socket.getOutputStream().write(piece.array(), 0, Float.BYTES * some);
            }
            socket.getOutputStream().flush();
        } catch (IOException e) {
            throw gone(e);
        } finally {
            sending.unlock();
        }
    }

    private WorkerException gone(IOException e) {
        return new WorkerException(name + " is gone: nothing can be sent to it (" + e.getMessage() + ")", e);
    }

    /** Takes some values. */
    @FunctionalInterface
    interface Values {
        /** The first {@code count} of the array, which come behind {@code done} others. */
        void accept(float[] values, int done, int count);
    }

    /** Waits for {@code count} values, and hands them on a piece at a time. */
    void receive(Kind kind, long number, int count, Values values) {
        long begin = System.nanoTime();
        readHead(kind, number, Float.BYTES * count, Float.BYTES * count, begin);
        byte[] bytes = new byte[Float.BYTES * Math.min(PIECE, count)];
        float[] piece = new float[Math.min(PIECE, count)];
        for (int done = 0; done < count; done += PIECE) {
            int some = Math.min(PIECE, count - done);
            read(bytes, Float.BYTES * some, begin);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(piece, 0, some);
            values.accept(piece, done, some);
        }
    }

    /**
     * Waits for bytes.
     *
     * @param least the smallest number of them
     * @param most the greatest number of them
     */
    byte[] receive(Kind kind, long number, int least, int most) {
        long begin = System.nanoTime();
        return read(readHead(kind, number, least, most, begin), begin);
    }

    /** The number of bytes that follow. */
    private int readHead(Kind kind, long number, int least, int most, long begin) {
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
        return length;
    }

    private byte[] read(int length, long begin) {
        byte[] bytes = new byte[length];
        read(bytes, length, begin);
        return bytes;
    }

    private void read(byte[] bytes, int length, long begin) {
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
