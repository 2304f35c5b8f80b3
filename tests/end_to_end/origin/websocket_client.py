import asyncio
import json
import websockets
from example.models.helloworld_model import HelloRequest, HelloReply

async def client_streaming_websocket():
    uri = "ws://localhost:8000/v1/helloworld/client-stream"
    
    async with websockets.connect(uri) as websocket:
        # 发送多个请求
        requests = [
            HelloRequest(name="Alice", language="en"),
            HelloRequest(name="Bob", language="zh"),
            HelloRequest(name="Charlie", language="es"),
        ]
        
        # 逐个发送请求
        for request in requests:
            message = request.model_dump_json()
            await websocket.send(message)
            print(f"发送: {request.name}")
        
        # 接收响应
        async for message in websocket:
            data = json.loads(message)
            
            if data.get("type") == "response":
                response = HelloReply.model_validate(data["data"])
                print(f"收到响应: {response.message}")
            elif data.get("type") == "complete":
                print("传输完成")
                break
            elif data.get("type") == "error":
                print(f"错误: {data['error']}")
                break
