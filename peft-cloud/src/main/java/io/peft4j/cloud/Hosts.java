package io.peft4j.cloud;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;

/**
 * The machines of a job.
 *
 * @param current the one that this process runs on
 * @param all all of them, in the order that all of them see
 */
record Hosts(String current, List<String> all) {
    Hosts {
        all = List.copyOf(all);
    }

    /** One machine. */
    static Hosts one() {
        return new Hosts("localhost", List.of("localhost"));
    }

    /**
     * Where a training over several machines begins, once there is one; until then each would train the same adapter.
     *
     * @throws ConfigurationException when there are several
     */
    void requireOne() {
        if (all.size() > 1) {
            throw new ConfigurationException("the job has " + all.size() + " machines (" + String.join(", ", all)
                    + "), and each would train the same adapter by itself; use one machine");
        }
    }
}
