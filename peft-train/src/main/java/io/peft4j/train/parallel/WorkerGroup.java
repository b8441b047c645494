package io.peft4j.train.parallel;

import io.peft4j.core.error.ConfigurationException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * Who trains together.
 *
 * @param rank the number of this worker, from 0; number 0 writes the output
 * @param addresses where each worker listens, by rank; the same list for all
 * @param secret a secret that only the workers know: connections that do not prove it are refused. What is sent
 *     is not encrypted, so the workers belong into a network of their own
 * @param joining how long the others may take to come
 * @param silence how long a worker may keep the others waiting before it counts as lost
 * @param localSteps updates of each before all take the mean, see {@link WorkerCollective#localSteps}
 */
public record WorkerGroup(int rank, List<InetSocketAddress> addresses, String secret, Duration joining,
        Duration silence, int localSteps) {
    /** How long the others may take to come, where nothing else is said. */
    public static final Duration JOINING = Duration.ofMinutes(5);
    /** How long a worker may keep the others waiting, where nothing else is said. */
    public static final Duration SILENCE = Duration.ofMinutes(10);

    /** Checks the ranges. */
    public WorkerGroup {
        addresses = List.copyOf(addresses);
        Objects.requireNonNull(secret, "secret");
        if (addresses.isEmpty() || rank < 0 || rank >= addresses.size()) {
            throw new ConfigurationException("worker " + rank + " of " + addresses.size() + " workers: ranks count "
                    + "from 0, and each has an address");
        }
        if (secret.isEmpty()) {
            throw new ConfigurationException("the workers need a secret, by which they know each other");
        }
        if (localSteps < 1) {
            throw new ConfigurationException("workers make " + localSteps + " updates by themselves; it must be 1 or "
                    + "more");
        }
        if (joining.isNegative() || joining.isZero() || silence.isNegative() || silence.isZero()) {
            throw new ConfigurationException("workers have " + joining + " to join and " + silence + " to answer; "
                    + "both must be more than no time");
        }
    }

    /** With five minutes to join and ten to answer; every update is made from the sum of all gradients. */
    public WorkerGroup(int rank, List<InetSocketAddress> addresses, String secret) {
        this(rank, addresses, secret, JOINING, SILENCE, 1);
    }

    /** The same with other times to join and to answer. */
    public WorkerGroup withTimes(Duration newJoining, Duration newSilence) {
        return new WorkerGroup(rank, addresses, secret, newJoining, newSilence, localSteps);
    }

    /** The same with so many updates by each worker before all take the mean. */
    public WorkerGroup withLocalSteps(int updates) {
        return new WorkerGroup(rank, addresses, secret, joining, silence, updates);
    }

    /** How many workers there are. */
    public int count() {
        return addresses.size();
    }

    /** What a worker is called in messages. */
    String name(int worker) {
        InetSocketAddress address = addresses.get(worker);
        return "worker " + worker + " (" + address.getHostString() + ":" + address.getPort() + ")";
    }
}
