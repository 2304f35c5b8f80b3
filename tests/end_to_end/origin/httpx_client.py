import httpx
from example.models.helloworld_model import HelloRequest, HelloReply

async def client_streaming_http():
    url = "http://localhost:8000/v1/helloworld/client-stream"
    
    # 准备多个请求（每行一个 JSON）
    requests = [
        HelloRequest(name="Alice", language="en"),
        HelloRequest(name="Bob", language="zh"),
        HelloRequest(name="Charlie", language="es"),
    ]
    
    # 构建请求体
    request_lines = [req.model_dump_json() for req in requests]
    request_body = '\n'.join(request_lines)
    
    async with httpx.AsyncClient() as client:
        response = await client.post(
            url,
            content=request_body,
            headers={
                "Content-Type": "application/json",
                "Transfer-Encoding": "chunked"
            }
        )
        
        if response.status_code == 200:
            data = response.json()
            if data.get("code") == 0:
                reply = HelloReply.model_validate(data["data"])
                print(f"响应: {reply.message}")
