require "pg"

run ->(_environment) { [200, { "content-type" => "text/plain" }, [PG.library_version.to_s]] }
