package io.peft4j.serve;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.VerdictOptions;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.answer.AnsweringOptions;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.HttpServer;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.LongSupplier;

/** Collects what a server needs. */
public final class FineTuningServerBuilder {
    private static final long SHORTEST_LEASE_MILLIS = 1000;

    final BaseModel base;
    final Path data;
    String host = "127.0.0.1";
    int port;
    Optional<String> apiKey = Optional.empty();
    Optional<String> modelName = Optional.empty();
    final Map<String, Path> adapters = new LinkedHashMap<>();
    final Map<String, LocalDate> shutdowns = new LinkedHashMap<>();
    Optional<String> database = Optional.empty();
    Duration lease = Duration.ofSeconds(15);
    VerdictOptions verdict = VerdictOptions.defaults();
    String organization = "peft4j";
    int jobsAtOnce = 1;
    AnsweringOptions answering = AnsweringOptions.defaults();
    OptionalDouble trainingShare = OptionalDouble.empty();
    Clock clock = Clock.systemUTC();
    LongSupplier nanos = System::nanoTime;
    Duration lastAnswers = HttpServer.LAST_ANSWERS;
    Optional<LongSupplier> usableBytes = Optional.empty();
    long fileBytes = Bound.FILE_BYTES.most();

    FineTuningServerBuilder(BaseModel base, Path data) {
        this.base = Objects.requireNonNull(base, "base");
        this.data = Objects.requireNonNull(data, "data");
    }

    /** The address to listen at; default 127.0.0.1. Any that others can reach needs a key. */
    public FineTuningServerBuilder host(String value) {
        host = Objects.requireNonNull(value, "host");
        return this;
    }

    /** The port to listen at; default 0, any that is free. */
    public FineTuningServerBuilder port(int value) {
        if (value < 0 || value > 65535) {
            throw new ConfigurationException("the port must be from 0 (any that is free) to 65535, got " + value);
        }
        port = value;
        return this;
    }

    /** The key that requests must bring; default none. */
    public FineTuningServerBuilder apiKey(String value) {
        if (value.isBlank()) {
            throw new ConfigurationException("the API key is empty");
        }
        apiKey = Optional.of(value);
        return this;
    }

    /** What clients call the base model; default the last part of the name it was loaded by. */
    public FineTuningServerBuilder modelName(String value) {
        modelName = Optional.of(value);
        return this;
    }

    /** An adapter from a folder that answers under the name. */
    public FineTuningServerBuilder adapter(String name, Path folder) {
        if (adapters.put(name, folder) != null) {
            throw new ConfigurationException("two adapters are called '" + name + "'");
        }
        return this;
    }

    /**
     * The day on which a model stops to answer, where it begins in UTC: {@code GET /v1/models} tells it as
     * {@code shutdown_date}, and from then on the model is not there.
     *
     * @param name what clients call it
     */
    public FineTuningServerBuilder shutdown(String name, LocalDate day) {
        shutdowns.put(name, day);
        return this;
    }

    /**
     * A database of PostgreSQL for files, jobs and keys ({@code jdbc:postgresql://HOST/DATABASE?user=..}), which
     * several servers share together with the data folder: they do each other's jobs. Default: a file in that folder.
     */
    public FineTuningServerBuilder database(String url) {
        database = Optional.of(url);
        return this;
    }

    /** The time after which a job of a server that is gone is taken over by another; default 15 seconds. */
    public FineTuningServerBuilder lease(Duration value) {
        if (value.toMillis() < SHORTEST_LEASE_MILLIS) {
            throw new ConfigurationException("the lease must be at least " + SHORTEST_LEASE_MILLIS
                    + " milliseconds, got " + value.toMillis());
        }
        lease = value;
        return this;
    }

    /** How much is asked after a job to judge its model. */
    public FineTuningServerBuilder verdict(VerdictOptions value) {
        verdict = Objects.requireNonNull(value, "verdict");
        return this;
    }

    /** The organization in names of models, {@code ft:BASE:ORGANIZATION:SUFFIX:ID}; default {@code peft4j}. */
    public FineTuningServerBuilder organization(String value) {
        if (!value.matches("[A-Za-z0-9._-]{1,64}")) {
            throw new ConfigurationException("the organization must be 1 to 64 letters, digits, '.', '_' or '-'; got '"
                    + value + "'");
        }
        organization = value;
        return this;
    }

    /** How many jobs train at a time; default 1. */
    public FineTuningServerBuilder jobsAtOnce(int value) {
        if (value < 0) {
            throw new ConfigurationException("the number of jobs at a time must be 0 (none, this server only answers) "
                    + "or more, got " + value);
        }
        jobsAtOnce = value;
        return this;
    }

    /** The share of the computing time that trainings keep while answers are asked for: above 0 and below 1. */
    public FineTuningServerBuilder trainingShare(double value) {
        if (!(value > 0 && value < 1)) {
            throw new ConfigurationException("the share of training must be above 0 and below 1, got " + value);
        }
        trainingShare = OptionalDouble.of(value);
        return this;
    }

    /** How requests are answered, and by which models beside the base and its adapters. */
    public FineTuningServerBuilder answering(AnsweringOptions value) {
        answering = Objects.requireNonNull(value, "answering");
        return this;
    }

    /** What time it is; for tests. */
    FineTuningServerBuilder clock(Clock value) {
        clock = value;
        return this;
    }

    /** The time that passes, by a clock that is never set; for tests. */
    FineTuningServerBuilder nanos(LongSupplier value) {
        nanos = value;
        return this;
    }

    /** How long answers may go on when the server stops; for tests. */
    FineTuningServerBuilder lastAnswers(Duration value) {
        lastAnswers = value;
        return this;
    }

    /** The most bytes of an uploaded file; for tests. */
    FineTuningServerBuilder fileBytes(long value) {
        fileBytes = value;
        return this;
    }

    /** The bytes that the disk has room for; for tests. */
    FineTuningServerBuilder usableBytes(LongSupplier value) {
        usableBytes = Optional.of(value);
        return this;
    }

    /**
     * Starts the server.
     *
     * @throws DamagedDataException when the database is damaged, or does not go with the data folder
     * @throws ConfigurationException when others can reach the address and there is no key
     * @throws io.peft4j.core.error.PeftException when an adapter does not fit
     */
    public FineTuningServer start() {
        return new FineTuningServer(this);
    }

    boolean isLoopback() {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new ConfigurationException("unknown host '" + host + "'", e);
        }
    }
}
