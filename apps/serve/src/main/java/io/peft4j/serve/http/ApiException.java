package io.peft4j.serve.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.PeftException;
import java.util.Optional;

/**
 * What a client gets instead of what it asked for: a status and an error object as OpenAI's clients expect it, from
 * which they make a typed exception of their own.
 */
public final class ApiException extends PeftException {
    private static final long serialVersionUID = 1L;

    private static final int RETRY_SECONDS = 60;
    /** What clients of System One ask, which read errors in another form. */
    private static final String SYSTEM_ONE = "/v1/systemone";

    private final int status;
    private final String type;
    private final String param;
    private final String code;
    private final int retryAfterSeconds;

    private ApiException(int status, String type, String code, String param, String message, int retryAfterSeconds) {
        super(message);
        this.status = status;
        this.type = type;
        this.code = code;
        this.param = param;
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /** 400: a field of the request is wrong. */
    public static ApiException invalid(String param, String message) {
        return of(400, "invalid_request_error", "invalid_value", param, message);
    }

    /** 400: the request as a whole is wrong. */
    public static ApiException invalid(String message) {
        return of(400, "invalid_request_error", null, null, message);
    }

    /** 401: no key, or one that is not known. */
    public static ApiException unauthorized(String message) {
        return of(401, "invalid_request_error", "invalid_api_key", null, message);
    }

    /** 403: known, but not allowed. */
    public static ApiException forbidden(String message) {
        return of(403, "invalid_request_error", "forbidden", null, message);
    }

    /** 404: there is no such thing. */
    public static ApiException notFound(String param, String code, String message) {
        return of(404, "invalid_request_error", code, param, message);
    }

    /** 413: more than is taken. */
    public static ApiException tooLarge(String message) {
        return of(413, "invalid_request_error", "content_too_large", null, message);
    }

    /** 429: too much at once; the client should come again. */
    public static ApiException tooMany(String code, String message, int retryAfterSeconds) {
        return new ApiException(429, code.equals("insufficient_quota") ? code : "requests", code, null, message,
                Math.max(1, retryAfterSeconds));
    }

    /** 507: there is no room for what was sent, or would follow from it. */
    public static ApiException outOfSpace() {
        return new ApiException(507, "server_error", "insufficient_storage", null,
                "the disk of the server is full; nothing was stored. Try again when there is room", RETRY_SECONDS);
    }

    /** 503: there was too little memory for a request, or for what was answered with it: heap or native. */
    public static ApiException outOfMemory() {
        return unavailable("the server has too little memory for this request now; try again, or send less at once");
    }

    /** 499, the status that nginx logs: the client closed the connection, so it is never read. */
    public static ApiException clientClosed() {
        return of(499, "invalid_request_error", "client_closed", null, "the client closed the connection");
    }

    /** 503: the server stops or cannot answer now. */
    public static ApiException unavailable(String message) {
        return new ApiException(503, "server_error", "unavailable", null, message, 1);
    }

    /** Any other; {@code code} and {@code param} may be null, which the error object then has, too. */
    public static ApiException of(int status, String type, String code, String param, String message) {
        return new ApiException(status, type, code, param, message, 0);
    }

    /** The status of the reply. */
    public int status() {
        return status;
    }

    /** When to come again, where that is known. */
    public Optional<Integer> retryAfterSeconds() {
        return retryAfterSeconds > 0 ? Optional.of(retryAfterSeconds) : Optional.empty();
    }

    /**
     * {@code {"error": {"message", "type", "param", "code"}}}, or {@code {"detail": message}} as System One's servers
     * have it.
     *
     * @param path what was asked for
     */
    ObjectNode body(String path) {
        return path.startsWith(SYSTEM_ONE) ? Json.object().put("detail", getMessage()) : body();
    }

    /** {@code {"error": {"message", "type", "param", "code"}}}. */
    public ObjectNode body() {
        ObjectNode body = Json.object();
        body.putObject("error").put("message", getMessage()).put("type", type).put("param", param).put("code", code);
        return body;
    }
}
