package io.peft4j.train.parallel;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * How two workers make sure of each other before anything else is read: each sends random bytes, and proves with an
 * HMAC over both that it knows the secret, which itself is never sent.
 */
final class Handshake {
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

    /** Somebody who is not who he should be. */
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
        if (answer != WELCOME || !MessageDigest.isEqual(proof, proof("answers", worker, group.rank(), own, other))) {
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
