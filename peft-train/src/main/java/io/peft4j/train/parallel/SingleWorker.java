package io.peft4j.train.parallel;

import java.util.List;

/** No other worker. */
enum SingleWorker implements WorkerCollective {
    SOLE;

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public int count() {
        return 1;
    }

    @Override
    public String name(int rank) {
        return "the only worker";
    }

    @Override
    public void sum(float[] values, int count) {
        // The values are their own sum.
    }

    @Override
    public List<byte[]> gather(byte[] said) {
        return List.of(said);
    }

    @Override
    public void fail(String reason) {
        // There is no other worker.
    }

    @Override
    public void close() {
        // Nothing is open.
    }
}
