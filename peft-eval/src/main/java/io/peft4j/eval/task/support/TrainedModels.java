package io.peft4j.eval.task.support;

import io.peft4j.core.model.LanguageModel;

/** Models that are trained to be measured, and given up afterwards. */
public final class TrainedModels {
    private TrainedModels() {
    }

    /**
     * Closes a model that can be closed.
     *
     * @throws IllegalStateException when that fails with a checked exception
     */
    public static void close(LanguageModel model) {
        if (model instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException("cannot close a model: " + e.getMessage(), e);
            }
        }
    }
}
