package io.peft4j.serve.api;

import io.javalin.http.Context;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.RowEncoder;
import io.peft4j.eval.ShippingCheck;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.LongRequests;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.model.MergedFile;
import io.peft4j.serve.model.ServedModel;
import io.peft4j.serve.model.ServedModels;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/** {@code /v1/fine_tuning/jobs/{id}/merged}: what a job has made as one GGUF file, which is proved on request. */
public final class MergedRoutes implements RouteGroup {
    private static final String LOSS = "allow_loss";
    private static final String PROOF_HEADER = "X-Proof";
    /** Values of whole blocks of any type. */
    private static final int BLOCK = 32;

    private final Store store;
    private final ServedModels models;
    private final Clock clock;
    /** Each loads the base once more. */
    private final Semaphore one = new Semaphore(1);

    /** A route over what is stored. */
    public MergedRoutes(Store store, ServedModels models, Clock clock) {
        this.store = store;
        this.models = models;
        this.clock = clock;
    }

    @Override
    public void addTo(Routes routes) {
        routes.get("/v1/fine_tuning/jobs/{id}/merged", Operation.of("downloadMergedModel", "The model of a job, merged "
                + "into its base, as a GGUF file").query("type", "Type of the matrices", "{'type': 'string', 'enum': "
                        + "['f32', 'f16', 'bf16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0'], 'default': 'f16'}")
                .query("prove", "A file of held-out questions, asked before and of what is written", Operation.TEXT)
                .query(LOSS, "How many percent of them may be lost", "{'type': 'number', 'default': 2}")
                .reply("application/octet-stream", "{'type': 'string', 'format': 'binary'}"), this::download);
    }

    private void download(Context request) throws IOException {
        Job job = JobRoutes.find(store, request);
        Path adapter = job.fineTunedModel().flatMap(name -> models.find(name, Caller.of(request)))
                .flatMap(ServedModel::folder)
                .orElseThrow(() -> ApiException.of(400, "invalid_request_error", "invalid_job_status", null, "the job "
                        + job.id() + " has no model here: it is " + job.status().code()));
        MergedFile wanted = wanted(request);
        store.disk()
                .requireRoom(wanted.type().bytes(BLOCK) * models.base().network().description().parameters() / BLOCK);
        if (!one.tryAcquire()) {
            throw ApiException.tooMany("rate_limit_exceeded", "another model is being merged; try again", 1);
        }
        Path file = store.files().spool();
        try {
            LongRequests.enter(request);
            Optional<ShippingCheck> proved = wanted.write(models.base(), adapter, job.fineTunedModel().get(), file,
                    () -> LongRequests.requireClient(request));
            proved.ifPresent(check -> request.header(PROOF_HEADER, check.toString()));
            request.header("Content-Disposition", "attachment; filename=\"" + job.id() + ".gguf\"");
            request.header("Content-Length", String.valueOf(Files.size(file)));
            request.contentType("application/octet-stream").result(Files.newInputStream(file,
                    StandardOpenOption.DELETE_ON_CLOSE));
        } catch (ConfigurationException e) {
            throw ApiException.of(400, "invalid_request_error", "model_not_merged", null, e.getMessage());
        } finally {
            one.release();
        }
    }

    private MergedFile wanted(Context request) {
        Optional<String> loss = parameter(request, LOSS);
        Optional<String> proof = parameter(request, "prove");
        if (proof.isEmpty() && loss.isPresent()) {
            throw ApiException.invalid(LOSS, "'" + LOSS + "' has no effect without 'prove'");
        }
        String param = "type";
        try {
            BlockType type = RowEncoder.type(parameter(request, param).orElse("f16"));
            param = LOSS;
            double most = loss.map(Double::parseDouble).orElse(MergedFile.Proof.USUAL_LOSS);
            return new MergedFile(type, proof.map(id -> new MergedFile.Proof(questions(request, id), most)));
        } catch (NumberFormatException e) {
            throw ApiException.invalid(LOSS, "'" + LOSS + "' must be a number from 0 to 100");
        } catch (ConfigurationException e) {
            throw ApiException.invalid(param, e.getMessage());
        }
    }

    private static Optional<String> parameter(Context request, String name) {
        return Optional.ofNullable(request.queryParam(name)).filter(text -> !text.isEmpty());
    }

    private List<EvaluationItem> questions(Context request, String id) {
        StoredFile file = FileRoutes.find(store, request, id, clock);
        try {
            List<EvaluationItem> questions = EvaluationData.read(store.files().content(file.id()));
            if (questions.size() > Bound.PROOF_QUESTIONS.most()) {
                throw ApiException.invalid("prove", "the file '" + id + "' has " + questions.size()
                        + " questions; a model is proved by up to " + Bound.PROOF_QUESTIONS.most());
            }
            return questions;
        } catch (DataException e) {
            throw ApiException.invalid("prove", "the file '" + id + "'" + (e.line() > 0 ? ", line " + e.line() : "")
                    + ": " + e.problem());
        }
    }
}
