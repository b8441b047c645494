package io.peft4j.serve;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.BaseModel;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Collects what a server needs. */
public final class FineTuningServerBuilder {
    final BaseModel base;
    final Path data;
    String host = "127.0.0.1";
    int port;
    Optional<String> apiKey = Optional.empty();
    Optional<String> modelName = Optional.empty();
    final Map<String, Path> adapters = new LinkedHashMap<>();
    Clock clock = Clock.systemUTC();

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

    /** What time it is; for tests. */
    FineTuningServerBuilder clock(Clock value) {
        clock = value;
        return this;
    }

    /**
     * Starts the server.
     *
     * @throws ConfigurationException when others can reach the address and there is no key
     * @throws io.peft4j.core.error.PeftException when an adapter does not fit
     */
    public FineTuningServer start() {
        if (apiKey.isEmpty() && !isLoopback()) {
            throw new ConfigurationException("others can reach " + host + ", so the server needs an API key: give one, "
                    + "or listen at 127.0.0.1");
        }
        return new FineTuningServer(this);
    }

    private boolean isLoopback() {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new ConfigurationException("there is no host '" + host + "' to listen at", e);
        }
    }
}
