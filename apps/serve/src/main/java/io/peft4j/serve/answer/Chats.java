package io.peft4j.serve.answer;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.model.ServedModel;

/** Chats with the models that answer: what the routes have in common whose requests are chats. */
final class Chats {
    private final AnswerGateway answers;
    private final Constraints constraints = new Constraints();
    private final BaseModel base;

    Chats(AnswerGateway answers) {
        this.answers = answers;
        this.base = answers.models().base();
    }

    /**
     * A chat that can be answered.
     *
     * @param prompt its tokens
     * @param options with the limit of tokens
     */
    record Chat(ServedModel model, ChatRequest request, int[] prompt, GenerationOptions options) {
    }

    /** Reads a request, and makes its prompt. */
    Chat read(RequestFields fields, Endpoint.Asker asker, ChatRequest.Reader reader) {
        Caller caller = asker.caller();
        ServedModel model = answers.model(ChatRequest.model(fields), caller);
        ChatTemplate template = base.chatTemplate().orElseThrow(() -> ApiException.of(400, "invalid_request_error",
                "no_chat_template", "model", "the model '" + model.name() + "' has no chat template; ask it "
                        + "with a prompt at /v1/completions, or let the server be started with a chat template"));
        ChatRequest read = reader.read(fields, template, constraints);
        int most = answers.mostTokens(model, caller);
        ChatInput input = new ChatInput(read.prompt(), template, base.tokenizer());
        String text = input.text(read.messages(), read.tools().shown(), read.variables());
        ChatRequest request = read.behind(text, constraints);
        int[] prompt = input.tokens(text + request.tools().begin(), most, asker.look());
        GenerationOptions options = SamplingFields.limited(request.options(), request.prompt(), request.limit(),
                request.maxTokens(), prompt.length, most);
        return new Chat(model, request, prompt, options);
    }

    PendingAnswer submit(Chat chat, Endpoint.Asker asker, AnswerListener listener) {
        return answers.submit(chat.model(), chat.prompt(), chat.options(), asker.caller(), listener);
    }
}
