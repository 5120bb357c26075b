-- Opens a Dockerfile in Neovim, makes all fixes as an editor does on saving, and saves it.
local program = vim.env.DOCKEROPT
local id = vim.lsp.start_client({ name = "dockeropt", cmd = { program, "lsp" }, root_dir = vim.fn.getcwd() })
vim.lsp.buf_attach_client(0, id)
local function wait(what, is)
  if not vim.wait(20000, is, 50) then
    io.stderr:write("waited in vain for " .. what .. "\n")
    vim.cmd("cquit 1")
  end
end
wait("diagnostics", function() return #vim.diagnostic.get(0) > 0 end)
for _, it in ipairs(vim.diagnostic.get(0)) do print(it.lnum + 1, it.source, it.code or "", it.message) end
-- Hovering explains what is here.
local hover = vim.lsp.buf_request_sync(0, "textDocument/hover", { textDocument = vim.lsp.util.make_text_document_params(), position = { line = 1, character = 0 } }, 10000)
print("hover", hover[id].result ~= nil)
local params = { textDocument = vim.lsp.util.make_text_document_params(), range = { start = { line = 0, character = 0 }, ["end"] = { line = 4, character = 0 } }, context = { diagnostics = {}, only = { "source.fixAll" } } }
local answers = vim.lsp.buf_request_sync(0, "textDocument/codeAction", params, 10000)
local action = answers[id].result[1]
print(action.title, action.kind)
if not action.edit then
  action = vim.lsp.buf_request_sync(0, "codeAction/resolve", action, 10000)[id].result
end
vim.lsp.util.apply_workspace_edit(action.edit, "utf-16")
-- What needs --unsafe is left.
wait("fewer diagnostics", function()
  return #vim.tbl_filter(function(it) return it.code ~= "slim-base" end, vim.diagnostic.get(0)) == 0
end)
vim.cmd("write")
vim.lsp.stop_client(id)
wait("the end", function() return vim.lsp.client_is_stopped(id) end)
vim.cmd("qall!")
