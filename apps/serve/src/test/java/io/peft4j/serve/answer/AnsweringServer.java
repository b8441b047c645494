package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.serve.FineTuningServer;
import io.peft4j.serve.FineTuningServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** A server of the tiny model of the fixtures, whose chat template shows tools as Hermes does. */
final class AnsweringServer implements AutoCloseable {
    static final Path FIXTURES = Path.of("../../tests/fixtures");
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final String TEMPLATE = "{% if tools %}<|im_start|>system\n# Tools\n{% for tool in tools %}"
            + "{{ tool['function']['name'] }} {% endfor %}<|im_end|>\n{% endif %}"
            + "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
            + "{% for call in message['tool_calls'] or [] %}<tool_call>{{ call['function']['arguments'] | tojson }}"
            + "</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
            + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private final BaseModel base;
    private final FineTuningServer server;

    AnsweringServer(Path folder, UnaryOperator<FineTuningServerBuilder> settings) {
        this.base = load(model(folder));
        this.server = settings.apply(FineTuningServer.builder(base, folder.resolve("data")).modelName("tiny")).start();
    }

    static BaseModel load(Path folder) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(folder.toString()), ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.F32), new NaiveKernels());
    }

    private static Path model(Path folder) {
        Path model = folder.resolve("tiny");
        try (Stream<Path> files = Files.list(FIXTURES.resolve("tiny-llama"))) {
            Files.createDirectories(model);
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
            ObjectMapper mapper = new ObjectMapper();
            Path config = model.resolve("tokenizer_config.json");
            ObjectNode tokenizer = (ObjectNode) mapper.readTree(config.toFile());
            mapper.writeValue(config.toFile(), tokenizer.put("chat_template", TEMPLATE));
            return model;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    BaseModel base() {
        return base;
    }

    /** What clients take as the base URL. */
    String url() {
        return server.url() + "/v1";
    }

    /** The reply to a JSON body with single quotes. */
    HttpResponse<String> post(String path, String json) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(URI.create(url() + path)).timeout(Duration.ofSeconds(60))
                .POST(BodyPublishers.ofString(json.replace('\'', '"'))).build(), BodyHandlers.ofString());
    }

    @Override
    public void close() {
        server.close();
        base.close();
    }
}
