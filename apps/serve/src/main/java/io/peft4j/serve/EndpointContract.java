package io.peft4j.serve;

import io.peft4j.core.Internal;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.serve.http.EventStream;
import java.util.Optional;

/** What a cloud asks of a container that answers: two routes, and the form of questions and answers. */
@Internal(shared = true)
public interface EndpointContract {
    /** The route that says whether the container is ready. */
    String healthRoute();

    /** The route of questions. */
    String answerRoute();

    /**
     * A reply.
     *
     * @param contentType its type
     * @param body its text
     */
    record Reply(String contentType, String body) {
    }

    /**
     * Answers a request.
     *
     * @param model what answers
     * @param contentType the type of the body, in lower case and without parameters
     * @param body the body
     * @param events takes the answer while it grows, where the request asks for that
     * @return empty where the answer went to the events
     * @throws io.peft4j.core.error.ConfigurationException when the request is wrong; says how
     */
    Optional<Reply> answer(LanguageModel model, String contentType, String body, EventStream events);
}
