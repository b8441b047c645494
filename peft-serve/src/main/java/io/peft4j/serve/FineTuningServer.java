package io.peft4j.serve;

import io.peft4j.models.BaseModel;
import io.peft4j.serve.api.internal.HealthRoutes;
import io.peft4j.serve.api.internal.ModelRoutes;
import io.peft4j.serve.http.internal.HttpServer;
import io.peft4j.serve.http.internal.KeyDoors;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.model.internal.ServedModels;
import java.nio.file.Path;
import java.util.List;

/**
 * A server that speaks OpenAI's API: a client of theirs needs its address and nothing else.
 *
 * <pre>{@code
 * try (BaseModel base = BaseModel.load("HuggingFaceTB/SmolLM2-135M-Instruct");
 *         FineTuningServer server = FineTuningServer.builder(base, Path.of("data")).port(8080).start()) {
 *     System.out.println(server.url());       // http://127.0.0.1:8080; clients take url() + "/v1"
 *     ...
 * }
 * }</pre>
 */
public final class FineTuningServer implements AutoCloseable {
    private final ServedModels models;
    private final HttpServer http;

    FineTuningServer(FineTuningServerBuilder builder) {
        this.models = new ServedModels(builder.base, builder.modelName.orElseGet(() -> nameOf(builder.base)),
                builder.clock);
        builder.adapters.forEach((name, folder) -> models.add(name, folder, "user"));
        this.http = new HttpServer(builder.host, builder.port, new KeyDoors(builder.apiKey), routes());
    }

    private List<RouteGroup> routes() {
        return List.of(new HealthRoutes(models), new ModelRoutes(models));
    }

    /** The last part of a hub's ID or a path. */
    private static String nameOf(BaseModel base) {
        String name = base.network().description().name().replace('\\', '/');
        return name.substring(name.lastIndexOf('/') + 1);
    }

    /**
     * A builder of a server.
     *
     * @param base the model that answers and is tuned; stays the caller's, who closes it after the server
     * @param data the folder for what the server keeps: files, jobs, adapters
     */
    public static FineTuningServerBuilder builder(BaseModel base, Path data) {
        return new FineTuningServerBuilder(base, data);
    }

    /** Where it listens, without the {@code /v1} that clients add: {@code http://127.0.0.1:8080}. */
    public String url() {
        return http.url();
    }

    /** The port it listens at. */
    public int port() {
        return http.port();
    }

    /** Lets what runs end, for half a minute at most; a job that runs is saved and goes on at the next start. */
    @Override
    public void close() {
        http.close();
        models.close();
    }
}
