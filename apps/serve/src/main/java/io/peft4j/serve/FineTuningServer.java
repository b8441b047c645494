package io.peft4j.serve;

import io.peft4j.core.engine.WorkShare;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.answer.AnswerModule;
import io.peft4j.serve.api.BatchRoutes;
import io.peft4j.serve.api.ConsoleRoutes;
import io.peft4j.serve.api.FileRoutes;
import io.peft4j.serve.api.GraderRoutes;
import io.peft4j.serve.api.HealthRoutes;
import io.peft4j.serve.api.JobRoutes;
import io.peft4j.serve.api.KeyAuthenticator;
import io.peft4j.serve.api.MergedRoutes;
import io.peft4j.serve.api.ModelRoutes;
import io.peft4j.serve.http.HttpServer;
import io.peft4j.serve.http.Problems;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.ServerMetrics;
import io.peft4j.serve.job.BatchRun;
import io.peft4j.serve.job.JobWorker;
import io.peft4j.serve.model.ServedModels;
import io.peft4j.serve.store.DamagedStoreException;
import io.peft4j.serve.store.Store;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
    private static final Logger LOG = LoggerFactory.getLogger(FineTuningServer.class);

    private final Store store;
    private final ServedModels models;
    private final AnswerModule answering;
    private final JobWorker worker;
    private final HttpServer http;
    private final Closer owned;

    FineTuningServer(FineTuningServerBuilder builder) {
        try (Closer opened = new Closer()) {
            store = opened.add(open(builder));
            if (!builder.isLoopback() && builder.apiKey.isEmpty() && !store.keys().any()) {
                throw new ConfigurationException("host " + builder.host + " is not a loopback address, so the server "
                        + "needs an API key: set one, or listen on 127.0.0.1");
            }
            models = opened.add(new ServedModels(builder.base,
                    builder.modelName.orElseGet(() -> ServedModels.nameOf(builder.base)), store, builder.shutdowns,
                    builder.answering.further(),
                    builder.answering.trusted(), builder.clock));
            builder.adapters.forEach((name, folder) -> models.add(name, folder, Optional.empty()));
            builder.trainingShare.ifPresent(builder.base.engine()::workShare);
            answering = opened.add(new AnswerModule(models, builder.answering, builder.clock));
            Problems problems = new Problems(builder.nanos);
            WorkShare share = new WorkShare();
            KeyAuthenticator doors = new KeyAuthenticator(builder.apiKey, store.keys(), builder.nanos);
            BatchRun batches = new BatchRun(store, answering.endpoints(), share, builder.clock, doors::used);
            worker = opened.add(new JobWorker(store, models, batches, builder.verdict, builder.organization,
                    builder.jobsAtOnce, builder.clock, problems, share));
            ServerMetrics meters = new ServerMetrics();
            answering.count(meters);
            http = new HttpServer(builder.host, builder.port, doors, meters, failure -> {
                problems.note(failure);
                return store.disk().note(failure);
            }, share, routes(builder, meters, batches));
            opened.add(() -> http.close(builder.lastAnswers, answering::close));
            worker.start();
            owned = opened.keep();
        }
    }

    private static Store open(FineTuningServerBuilder builder) {
        try {
            return Store.open(builder.data, new Store.Options(builder.database, builder.lease, builder.nanos,
                    builder.usableBytes));
        } catch (DamagedStoreException e) {
            throw new DamagedDataException(e);
        }
    }

    private List<RouteGroup> routes(FineTuningServerBuilder builder, ServerMetrics meters, BatchRun batches) {
        List<RouteGroup> routes = new ArrayList<>(List.of(
                new ConsoleRoutes(),
                new HealthRoutes(models, store, worker, meters,
                        () -> answering.problem(builder.nanos.getAsLong())),
                new ModelRoutes(models),
                new FileRoutes(store, builder.clock, builder.fileBytes),
                new GraderRoutes(models),
                new MergedRoutes(store, models, builder.clock),
                new JobRoutes(store, models, worker, builder.organization, builder.clock),
                new BatchRoutes(store, models.baseName(), batches, answering.endpoints().keySet(), worker,
                        builder.clock)));
        routes.addAll(answering.routes());
        return routes;
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

    /** Lets what runs end, for half a minute at most; a job that runs is saved and resumes at the next start. */
    @Override
    public void close() {
        try {
            owned.close();
        } catch (RuntimeException e) {
            LOG.warn("error during shutdown", e);
        }
    }
}
