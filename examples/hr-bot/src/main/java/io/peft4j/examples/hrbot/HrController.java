package io.peft4j.examples.hrbot;

import io.peft4j.core.error.PeftException;
import io.peft4j.models.PeftAdapters;
import java.util.List;
import java.util.Map;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** What the page asks. */
@RestController
class HrController {
    /**
     * A question.
     *
     * @param text the question
     */
    public record Question(String text) {
    }

    private final ChatClient chat;
    private final PeftAdapters adapters;

    /** With Spring AI's chat model, which the starter made. */
    public HrController(ChatModel model, PeftAdapters adapters) {
        this.chat = ChatClient.create(model);
        this.adapters = adapters;
    }

    /** The answer with the handbook's adapter, and that of the base model without it. */
    @PostMapping("/ask")
    public Map<String, String> ask(@RequestBody Question question) {
        return Map.of("handbook", chat.prompt().user(question.text()).call().content(),
                "base", chat.prompt().user(question.text()).options(ChatOptions.builder().model("__base__"))
                        .call().content());
    }

    /** Why there is no answer: no adapter was chosen, or it cannot be loaded. */
    @ExceptionHandler(PeftException.class)
    public ProblemDetail refuse(PeftException e) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.SERVICE_UNAVAILABLE, e.getMessage());
    }

    /** The adapters that answer. */
    @GetMapping("/adapters")
    public List<String> adapters() {
        return adapters.names();
    }
}
