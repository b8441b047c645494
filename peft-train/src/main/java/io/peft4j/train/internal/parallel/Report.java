package io.peft4j.train.internal.parallel;

import io.peft4j.train.internal.pass.Measures;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * What a worker tells the others of the batches that it has computed.
 *
 * @param stopped whether it was asked to stop before all were done
 * @param seconds time it took
 * @param losses sums of losses by batch; 0 for those of others
 * @param measures what was measured
 */
record Report(boolean stopped, double seconds, double[] losses, Measures measures) {
    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeBoolean(stopped);
            out.writeDouble(seconds);
            out.writeInt(losses.length);
            for (double loss : losses) {
                out.writeDouble(loss);
            }
            measures.write(out);
        } catch (IOException e) {
            throw new UncheckedIOException("memory does not fail", e);
        }
        return bytes.toByteArray();
    }

    /**
     * Reads the report of another worker.
     *
     * @param batches how many batches there are
     */
    static Report of(byte[] bytes, int batches) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            boolean stopped = in.readBoolean();
            double seconds = in.readDouble();
            int count = in.readInt();
            if (count != batches) {
                throw new IOException(count + " losses of " + batches + " batches");
            }
            double[] losses = new double[count];
            for (int i = 0; i < count; i++) {
                losses[i] = in.readDouble();
            }
            return new Report(stopped, seconds, losses, Measures.read(in));
        } catch (IOException e) {
            throw new UncheckedIOException("another worker reports something else: " + e.getMessage(), e);
        }
    }
}
