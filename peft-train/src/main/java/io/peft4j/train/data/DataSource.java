package io.peft4j.train.data;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.format.DataFile;
import java.util.Optional;

/**
 * What is learned from a file.
 *
 * @param objective the name of the objective
 * @param data the examples
 * @param validation those whose loss is measured
 * @param weight what the loss counts where several objectives are learned
 */
public record DataSource(String objective, DataFile data, Optional<DataFile> validation, double weight) {
    /**
     * Checks the weight.
     *
     * @throws ConfigurationException when it is not above 0
     */
    public DataSource {
        if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
            throw new ConfigurationException("the weight of " + objective + " is " + weight + "; it must be above 0");
        }
    }

    /** A file for the only objective. */
    public DataSource(String objective, DataFile data) {
        this(objective, data, Optional.empty(), 1);
    }
}
