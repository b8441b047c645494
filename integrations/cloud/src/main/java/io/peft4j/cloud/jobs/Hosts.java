package io.peft4j.cloud.jobs;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Sha256;
import java.util.List;
import java.util.Optional;

/**
 * The machines of a job. They train together: each computes its part of every update, and the first one keeps the
 * result.
 *
 * @param rank which of them this process runs on, from 0
 * @param all all of them, in the order that all of them see, with a port where the cloud gives one
 */
record Hosts(int rank, List<String> all) {
    /** Where machines listen for each other whose cloud gives no port. */
    static final int PORT = 7788;
    /** The variable with what only the machines of a job know. */
    static final String SECRET = "PEFT4J_WORKERS_SECRET";

    Hosts {
        all = List.copyOf(all);
    }

    static Hosts one() {
        return new Hosts(0, List.of("localhost"));
    }

    /**
     * The machines of a job by their names.
     *
     * @throws ConfigurationException when this one is none of them
     */
    static Hosts of(String current, List<String> all) {
        if (!all.contains(current)) {
            throw new ConfigurationException("host '" + current + "' is not one of the hosts of the job: "
                    + String.join(", ", all));
        }
        return new Hosts(all.indexOf(current), all);
    }

    /** Whether this one keeps the result. */
    boolean isFirst() {
        return rank == 0;
    }

    /**
     * The options of a training by all of them; none for a single one.
     *
     * @param secret what only the machines of the job know
     * @param run what tells the job from others, without a secret
     */
    List<String> options(Optional<String> secret, Optional<String> run) {
        if (all.size() == 1) {
            return List.of();
        }
        List<String> addresses = all.stream().map(host -> host.contains(":") ? host : host + ":" + PORT).toList();
        return List.of("--workers=" + String.join(",", addresses), "--worker-rank=" + rank, "--workers-secret="
                + secret.orElseGet(() -> Sha256.of(run.orElse("") + addresses)));
    }
}
