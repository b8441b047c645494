package io.peft4j.spring;

import io.peft4j.core.error.PeftException;
import io.peft4j.models.PeftAdapters;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** {@code /peft4j/adapters}: which adapters there are, and training of new ones. Switched off by default. */
@RestController
@RequestMapping("/peft4j/adapters")
final class TuningController {
    private static final String ROWS = "application/jsonl";

    private final PeftAdapters adapters;
    private final Tunings tunings;

    /** The endpoint of these. */
    public TuningController(PeftAdapters adapters, Tunings tunings) {
        this.adapters = Objects.requireNonNull(adapters, "adapters");
        this.tunings = Objects.requireNonNull(tunings, "tunings");
    }

    /** The adapters that answer, those that could not be loaded, and the trainings. */
    @GetMapping
    public Map<String, Object> list() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("adapters", adapters.names());
        all.put("problems", adapters.problems());
        all.put("tunings", tunings.all());
        return all;
    }

    /**
     * Begins a training on chats in JSON Lines.
     *
     * @param replace whether an adapter of that name is replaced when it is done
     * @param force whether the new adapter answers whatever its verdict
     */
    @PostMapping("/{name}")
    @ResponseStatus(HttpStatus.ACCEPTED)
    public Map<String, Object> train(@PathVariable("name") String name,
            @RequestParam(name = "replace", defaultValue = "false") boolean replace,
            @RequestParam(name = "force", defaultValue = "false") boolean force, @RequestBody String rows) {
        tunings.begin(name, rows, new Tunings.Permissions(replace, force));
        return Map.of("adapter", name, "state", tunings.all().get(name).state());
    }

    /** Rows that come as a form, which a servlet takes apart, would not arrive as they were sent. */
    @PostMapping(path = "/{name}", consumes = MediaType.APPLICATION_FORM_URLENCODED_VALUE)
    @ResponseStatus(HttpStatus.UNSUPPORTED_MEDIA_TYPE)
    public ProblemDetail refuseForm() {
        return ProblemDetail.forStatusAndDetail(HttpStatus.UNSUPPORTED_MEDIA_TYPE, "the content type is "
                + MediaType.APPLICATION_FORM_URLENCODED_VALUE + ", which curl sends unless another is given; send "
                + "the rows as " + ROWS + ": curl -H 'Content-Type: " + ROWS + "' --data-binary @rows.jsonl URL");
    }

    /** There is an adapter of that name. */
    @ExceptionHandler(AdapterExistsException.class)
    public ProblemDetail refuse(AdapterExistsException e) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.CONFLICT, e.getMessage());
    }

    /** What was wrong with a request. */
    @ExceptionHandler(PeftException.class)
    public ProblemDetail refuse(PeftException e) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, String.valueOf(e.getMessage()));
    }
}
