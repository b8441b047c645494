package io.peft4j.train.parallel;

import io.peft4j.core.io.Closer;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a worker listens for the others. It is opened first, so that its port can be told to them; then all join:
 *
 * <pre>{@code
 * try (WorkerSocket socket = WorkerSocket.open(7077);
 *         Workers workers = socket.join(new WorkerGroup(rank, addresses, secret))) {
 *     Trainer.builder(model).workers(workers).output(folder).build().train(examples);
 * }
 * }</pre>
 */
public final class WorkerSocket implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerSocket.class);
    /** What a stranger may take to say who he is. */
    private static final int GREETING_MILLIS = 5000;
    private static final long PAUSE_MILLIS = 100;
    private static final int BACKLOG = 1024;

    private final ServerSocket server;

    private WorkerSocket(ServerSocket server) {
        this.server = server;
    }

    /**
     * Listens on all addresses of this machine.
     *
     * @param port the port; 0 for any that is free
     * @throws UncheckedIOException when it is taken
     */
    public static WorkerSocket open(int port) {
        return open(port, new InetSocketAddress(0).getAddress());
    }

    /** As {@link #open(int)}, on one address of this machine alone. */
    public static WorkerSocket open(int port, InetAddress address) {
        try {
            return new WorkerSocket(new ServerSocket(port, BACKLOG, address));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen for other workers on port " + port + ": " + e.getMessage(),
                    e);
        }
    }

    /** The port. */
    public int port() {
        return server.getLocalPort();
    }

    /**
     * Meets the other workers: this one calls those before it and waits for those behind it. What is opened here is
     * closed with the workers.
     *
     * @throws WorkerException when one does not come in time, or is none of this training; says which
     */
    public WorkerCollective join(WorkerGroup group) {
        if (group.count() == 1) {
            return WorkerCollective.one();
        }
        long deadline = System.nanoTime() + group.joining().toNanos();
        Link[] links = new Link[group.count()];
        try (Closer opened = new Closer()) {
            opened.add(() -> Closer.closeAll(Stream.of(links).filter(Objects::nonNull).toList()));
            for (int rank = 0; rank < group.rank(); rank++) {
                links[rank] = call(group, rank, deadline);
            }
            for (int missing = group.count() - group.rank() - 1; missing > 0; missing--) {
                accept(group, links, deadline);
            }
            LOG.info("worker {} of {} has met all others", group.rank(), group.count());
            WorkerCollective workers = new SocketWorkers(group, links);
            opened.keep();
            return workers;
        }
    }

    private static Link call(WorkerGroup group, int rank, long deadline) {
        IOException last = new SocketTimeoutException("no time to call it");
        while (System.nanoTime() < deadline) {
            Socket socket = new Socket();
            try {
                InetSocketAddress address = group.addresses().get(rank);
                // Resolved each time: a container's name may be known a little later than the container itself.
                socket.connect(new InetSocketAddress(address.getHostString(), address.getPort()), GREETING_MILLIS);
                socket.setSoTimeout(GREETING_MILLIS);
                new Handshake(group, socket).ask(rank);
                return new Link(socket, group.name(rank), group.silence());
            } catch (Handshake.Refusal e) {
                closeQuietly(socket);
                throw new WorkerException(group.name(rank) + " and this worker (" + group.rank() + " of "
                        + group.count() + ") do not train together: " + e.getMessage(), e);
            } catch (IOException e) {
                closeQuietly(socket);
                last = e;
                pause();
            }
        }
        throw new WorkerException("worker " + group.rank() + " could not reach " + group.name(rank) + " within "
                + group.joining().toSeconds() + " s: " + last.getMessage(), last);
    }

    private void accept(WorkerGroup group, Link[] links, long deadline) {
        boolean found = false;
        while (!found) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                throw new WorkerException(missing(group, links) + " has not come within "
                        + group.joining().toSeconds() + " s");
            }
            try {
                server.setSoTimeout((int) Math.min(left, Integer.MAX_VALUE));
                found = greet(group, links, server.accept());
            } catch (SocketTimeoutException e) {
                LOG.debug("no worker connected", e);
            } catch (IOException e) {
                throw new WorkerException("worker " + group.rank() + " cannot listen for the others any more: "
                        + e.getMessage(), e);
            }
        }
    }

    /** Whether it was a worker that was missing. */
    private static boolean greet(WorkerGroup group, Link[] links, Socket socket) {
        try {
            socket.setSoTimeout(GREETING_MILLIS);
            int rank = new Handshake(group, socket).answer();
            if (links[rank] == null) {
                links[rank] = new Link(socket, group.name(rank), group.silence());
                return true;
            }
            // It lost its first connection before it could use it.
            links[rank].close();
            links[rank] = new Link(socket, group.name(rank), group.silence());
            return false;
        } catch (IOException e) {
            LOG.warn("a connection from {} was refused: {}", socket.getRemoteSocketAddress(), e.getMessage());
            closeQuietly(socket);
            return false;
        }
    }

    private static String missing(WorkerGroup group, Link[] links) {
        int rank = group.rank() + 1;
        while (links[rank] != null) {
            rank++;
        }
        return group.name(rank);
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerException("the thread was interrupted while it waited for other workers", e);
        }
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("a socket does not close", e);
        }
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            LOG.debug("a socket does not close", e);
        }
    }

    /**
     * How two workers make sure of each other before anything else is read: each sends random bytes, and proves with an
     * HMAC over both that it knows the secret, which itself is never sent.
     */
    private static final class Handshake {
        private static final long MAGIC = 0x50454654344A5732L;
        private static final int NONCE_BYTES = 16;
        private static final int PROOF_BYTES = 32;
        private static final int WELCOME = 1;
        private static final int REFUSED = 2;
        private static final SecureRandom RANDOM = new SecureRandom();

        private final WorkerGroup group;
        private final DataInputStream in;
        private final DataOutputStream out;
        private final byte[] own = new byte[NONCE_BYTES];
        private final byte[] other = new byte[NONCE_BYTES];

        /** A peer that is not a worker of the group. */
        static final class Refusal extends IOException {
            private static final long serialVersionUID = 1L;

            Refusal(String message) {
                super(message);
            }
        }

        /** @param socket connected, with a timeout */
        Handshake(WorkerGroup group, Socket socket) throws IOException {
            this.group = group;
            this.in = new DataInputStream(socket.getInputStream());
            this.out = new DataOutputStream(socket.getOutputStream());
            RANDOM.nextBytes(own);
            out.writeLong(MAGIC);
            out.write(own);
            if (in.readLong() != MAGIC) {
                throw new Refusal("it does not speak as a worker of this version does");
            }
            in.readFully(other);
        }

        /** Asks a worker to be let in. */
        void ask(int worker) throws IOException {
            out.writeInt(group.rank());
            out.writeInt(group.count());
            out.write(proof("asks", group.rank(), worker, own, other));
            int answer = in.read();
            if (answer == REFUSED) {
                throw new Refusal(in.readUTF());
            }
            byte[] proof = new byte[PROOF_BYTES];
            in.readFully(proof);
            if (answer != WELCOME
                    || !MessageDigest.isEqual(proof, proof("answers", worker, group.rank(), own, other))) {
                throw new Refusal("it does not know the secret of this training");
            }
        }

        /**
         * Lets a worker in.
         *
         * @return its rank, from this worker's own on
         */
        int answer() throws IOException {
            int rank = in.readInt();
            int count = in.readInt();
            byte[] proof = new byte[PROOF_BYTES];
            in.readFully(proof);
            if (!MessageDigest.isEqual(proof, proof("asks", rank, group.rank(), other, own))) {
                throw refuse("it does not know the secret of this training");
            }
            if (count != group.count() || rank <= group.rank() || rank >= count) {
                throw refuse("it is worker " + rank + " of " + count + ", which does not go with worker " + group.rank()
                        + " of " + group.count());
            }
            out.write(WELCOME);
            out.write(proof("answers", group.rank(), rank, other, own));
            return rank;
        }

        private Refusal refuse(String reason) throws IOException {
            out.write(REFUSED);
            out.writeUTF(reason);
            return new Refusal(reason);
        }

        private byte[] proof(String says, int speaker, int listener, byte[] first, byte[] second) {
            try {
                Mac mac = Mac.getInstance("HmacSHA256");
                mac.init(new SecretKeySpec(group.secret().getBytes(StandardCharsets.UTF_8), mac.getAlgorithm()));
                mac.update(says.getBytes(StandardCharsets.US_ASCII));
                mac.update(ByteBuffer.allocate(3 * Integer.BYTES).putInt(speaker).putInt(listener).putInt(group.count())
                        .array());
                mac.update(first);
                return mac.doFinal(second);
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every Java platform has HmacSHA256", e);
            }
        }
    }
}
